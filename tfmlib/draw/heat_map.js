(figure, { rows, columns, values, join, unit }) => {
  const area = figure.querySelector(".answers"), grid = figure.querySelector(".grid");
  const cursor = grid.appendChild(document.createElementNS(grid.namespaceURI, "rect"));
  const tip = figure.appendChild(document.createElement("output"));
  tip.className = "tip";
  let x = 0, y = 0;

  const hide = () => { tip.hidden = true; cursor.style.display = "none"; };
  const tell = () => {
    for (const [name, value] of Object.entries({ x, y, width: 1, height: 1, class: "line", "stroke-width": 2 })) cursor.setAttribute(name, value);
    cursor.style.display = "";
    tip.hidden = false;
    tip.textContent = rows[y] + join + columns[x] + ": " + String(values[y][x]).replace("-", "−") + unit;
    const cell = cursor.getBoundingClientRect(), page = figure.getBoundingClientRect();
    const middle = (cell.left + cell.right - tip.offsetWidth) / 2 - page.left;
    tip.style.left = Math.max(0, Math.min(middle, page.width - tip.offsetWidth)) + "px";
    tip.style.top = cell.top - page.top - tip.offsetHeight - 4 + "px";
  };
  const point = (event) => {
    const box = grid.getBoundingClientRect();
    const across = Math.floor((event.clientX - box.left) / box.width * columns.length);
    const down = Math.floor((event.clientY - box.top) / box.height * rows.length);
    if (!(across in columns && down in rows)) return hide();
    [x, y] = [across, down];
    tell();
  };
  area.addEventListener("pointermove", (event) => event.pointerType === "mouse" && point(event));
  area.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && hide());
  area.addEventListener("click", point);
  area.addEventListener("focus", () => area.matches(":focus-visible") && tell());
  area.addEventListener("blur", hide);
  area.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (event.key === "Escape") hide();
    if (!step) return;
    event.preventDefault();
    x = Math.max(0, Math.min(x + step[0], columns.length - 1));
    y = Math.max(0, Math.min(y + step[1], rows.length - 1));
    cursor.scrollIntoView({ block: "nearest", inline: "nearest" });
    tell();
  });
  hide();
}
