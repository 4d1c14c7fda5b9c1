# The commands of the course; `make` alone lists them. Each sets up .venv first, once.
# PYTHON=/path/to/python3 says which Python to set up with.

.DEFAULT_GOAL := help
bin := .venv/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
python := $(bin)/python
ready := .venv/ready
html := _build/html
PORT ?= 8000
PAIR ?= en-fr
in_notebooks := --config 'line-length = 78' $(wildcard notebooks/*.ipynb notebooks/*/*.ipynb) # wider code scrolls

# The same numbers and pictures everywhere: one thread (small models are fastest so), and nothing from the user's home.
OMP_NUM_THREADS ?= 1
export OMP_NUM_THREADS
export MPLCONFIGDIR := $(CURDIR)/.venv/share/matplotlib
export IPYTHONDIR := $(CURDIR)/.venv/share/ipython

.PHONY: help book read lab notebooks model bench test requirements

help:
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-14s%s\n", $$1, $$2}' Makefile

book: $(ready) ## build the book, every warning an error
	@rm -rf _build # what is left of an earlier build would hide warnings, and pages that are gone
	@$(bin)/jupyter-book build -q -W -n --keep-going .
	@echo "The book is in $(html): open $(CURDIR)/$(html)/index.html in a browser, or type: make read"

read: $(html)/index.html ## read the book at http://127.0.0.1:8000 (another port: PORT=8001)
	@$(python) -c 'import socket; socket.create_server(("127.0.0.1", $(PORT)))' 2>/dev/null || \
		{ echo 'Port $(PORT) is taken. Try another: make read PORT=8001' >&2; exit 1; }
	@echo 'The book is at http://127.0.0.1:$(PORT) until you press ctrl-C.'
	@$(python) -m http.server $(PORT) --bind 127.0.0.1 --directory $(html)

$(html)/index.html: $(ready) $(wildcard _config.yml _toc.yml book/* book/*/* notebooks/*.ipynb notebooks/*/*.ipynb)
	@$(MAKE) --no-print-directory book

# JupyterLab does not know the list of references: there a citation is written as its key, such as (vaswani2017).
no_citations := 's/[{]cite(:t)?[}]`([^`]*)`/(\2)/g'

lab: $(ready) ## run the notebooks in JupyterLab: your own copy, in my-notebooks
	@cd notebooks && find . -name .ipynb_checkpoints -prune -o -name '*.ipynb' -print | while read -r notebook; do \
		mine="../my-notebooks/$$notebook"; \
		[ -e "$$mine" ] || { mkdir -p "$${mine%/*}" && sed -E $(no_citations) "$$notebook" >"$$mine.part" && ../$(bin)/jupyter-trust "$$mine.part" >/dev/null && mv "$$mine.part" "$$mine"; } || exit; \
	done
	@$(python) -m jupyterlab --notebook-dir=my-notebooks

notebooks: $(ready) ## make the notebooks whose text has changed (all: ALL=1, one: NAME=01_one_hot)
	@$(python) notebooks/make.py $(if $(ALL),--all) $(NAME)

model: $(ready) ## train a model that the package ships (from and to others: PAIR=zh-en)
	@$(python) -m tfmlib train --source $(word 1,$(subst -, ,$(PAIR))) --target $(word 2,$(subst -, ,$(PAIR))) \
		--output tfmlib/models/$(PAIR) $(if $(wildcard tfmlib/models/$(PAIR)/state.safetensors),--resume)

bench: $(ready) ## measure the speed, and print the table of the README
	@$(python) tests/benchmark.py

test: $(ready) ## prove everything: the style, the package, every notebook
	@$(python) -m ruff check
	@$(python) -m ruff format --check
	@$(python) -m ruff check $(in_notebooks)
	@$(python) -m ruff format --check $(in_notebooks)
	@$(python) -m pytest -n 2 --dist loadfile --no-loadscope-reorder # in order: the longest files are among the first

requirements: $(ready) ## pin again what pyproject.toml asks for (the newest: UPGRADE=1)
	@$(python) -m uv pip compile --quiet $(if $(UPGRADE),--upgrade) --universal --fork-strategy fewest \
		--python-version 3.11 --no-annotate --custom-compile-command 'make requirements' \
		--extra course --output-file requirements.txt pyproject.toml

# The set-up. .venv/ready is written last, and says where: without it, or in a folder that was moved or copied,
# .venv is made afresh, so that a set-up that was interrupted leaves nothing behind.
export HERE := $(CURDIR)
ifneq ($(CURDIR),$(shell test -x $(python) && cat $(ready) 2>/dev/null))
afresh := afresh
.PHONY: $(ready)
endif

define SET_UP
stop() { printf '%s\n' "$$*" >&2; exit 1; }
again='then type the same command again.'
trap 'stop "The set-up was interrupted. To start it afresh, type the same command again."' HUP INT TERM
exec 3>&1

step() { # runs one step; if it fails, the last line says what to do
	errors=$$("$$@" 2>&1 >&3) && return
	printf '%s\n' "$$errors" >&2
	case $$errors in
	*'No space left'* | *'Errno 28'* | *'not enough space'* | *quota*)
		stop "The disk is full. Free 3 GB where this folder and temporary files are, $$again" ;;
	*'No module named ensurepip'* | *'No module named venv'*)
		stop "This Python cannot make environments. On Debian and Ubuntu: sudo apt install python3-venv, $$again" ;;
	*onnection* | *'timed out'* | *'name resolution'*)
		stop "The packages could not be downloaded. Look at the network, or the proxy, $$again" ;;
	*) stop "The set-up failed. If the lines above say why, mend that; $$again" ;;
	esac
}

rm -f $(ready)
if [ "$$1" = afresh ]; then
	others=
	set -- python3 python3.14 python3.13 python3.12 python3.11 python
	[ -z "$$PYTHON" ] || set -- "$$PYTHON"
	for name do
		version=$$("$$name" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || version=
		case $$version in
		3.11 | 3.12 | 3.13 | 3.14) break ;;
		?*) others="$$others, $$name is $$version" version= ;;
		esac
	done
	[ -n "$$version" ] || stop "Python 3.11, 3.12, 3.13 or 3.14 is needed$${others:+ (found: $${others#, })}. Install one," \
		"or say where it is with PYTHON=/path/to/python3, $$again"
	echo "Setting up .venv with Python $$version, once. This takes a few minutes and 3 GB of disk."
	step "$$name" -m venv --clear --without-pip .venv
	step $(python) -m ensurepip 3>/dev/null # it tells of its temporary folder
fi
step $(python) -m pip install --disable-pip-version-check $$([ -t 3 ] || echo --quiet) -r requirements.txt
step $(python) -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation -e .
step $(python) -c 'import matplotlib.font_manager' # its list of fonts takes seconds, and a line in a notebook, once
step $(bin)/jupyter-labextension disable --level=sys_prefix @jupyterlab/apputils-extension:announcements # asks for its news
printf '%s\n' "$$HERE" >$(ready) || stop "The disk is full. Free 3 GB, $$again"
endef
export SET_UP

$(ready): requirements.txt pyproject.toml
	@sh -c "$$SET_UP" set-up $(afresh)
