// What the theme's pages lack for keyboards and screen readers, each named by the rule of axe-core that finds it.
document.addEventListener("DOMContentLoaded", () => {
  const each = (selector, change) => document.querySelectorAll(selector).forEach(change);
  const set = (element, attributes) => Object.entries(attributes).forEach((pair) => element.setAttribute(...pair));

  // region: the title above the table of contents belongs to no landmark.
  each(".bd-sidebar-primary", (sidebar) => set(sidebar, { role: "navigation", "aria-label": "Course" }));

  // label-content-name-mismatch: a label that is not what is written on the button; and one that says too little.
  each(".search-button-field, details.hide > summary", (button) => button.removeAttribute("aria-label"));
  each(".theme-switch-button", (button) => set(button, { "aria-label": "Colours: light, dark, or the system’s" }));

  // aria-deprecated-role, aria-required-children: the references are a list.
  each(".citation", (citation) => set(citation, { role: "listitem" }));

  // scrollable-region-focusable: what scrolls by itself on a narrow screen can be reached by the keyboard.
  const observer = new ResizeObserver((entries) => {
    for (const { target: box } of entries) {
      const scrolls = box.scrollWidth > box.clientWidth;
      if (scrolls) set(box, { tabindex: 0, role: "group", "aria-label": "Scrolls sideways" });
      else ["tabindex", "role", "aria-label"].forEach((name) => box.removeAttribute(name));
    }
  });
  each(".pst-scrollable-table-container, .bd-article div.math, details.hide pre", (box) => observer.observe(box));

  // The same: the theme looks for what scrolls when the page is loaded, and takes the keyboard from what is folded then.
  const unfolded = new ResizeObserver((entries) => entries.forEach(({ target }) => (target.tabIndex = 0)));
  each(".tfm details pre, details.tfm pre", (box) => unfolded.observe(box));
});

// Paper is white: what is read in the dark is printed in the light.
const root = document.documentElement.dataset;
addEventListener("beforeprint", () => (root.theme = "light"));
addEventListener("afterprint", () => (root.theme = localStorage.getItem("theme")));
