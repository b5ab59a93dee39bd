// Suggestions under a search field: a combobox with a list, by the ARIA pattern. Without it the field sends its form.
(() => {
  "use strict";

  const WAIT = 120;

  function combobox(input, number) {
    const id = `suggestions-${number}`;
    const list = document.createElement("ul");
    list.id = id;
    list.className = "suggestions";
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "Suggestions");
    list.hidden = true;
    const told = document.createElement("span");
    told.className = "hidden";
    told.setAttribute("role", "status");
    input.after(list, told);
    input.parentElement.classList.add("has-suggestions");
    for (const [name, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": id })) input.setAttribute(name, value);

    let timer = 0, asked = null, chosen = -1, options = [];

    function close() {
      list.hidden = true;
      chosen = -1;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    }

    function choose(next) {
      options[chosen]?.setAttribute("aria-selected", "false");
      chosen = next;
      const option = options[chosen];
      if (!option) { input.removeAttribute("aria-activedescendant"); return; }
      option.setAttribute("aria-selected", "true");
      option.scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", option.id);
    }

    function show(suggestions) {
      options = suggestions.map((each, place) => {
        const option = document.createElement("li");
        option.id = `${id}-${place}`;
        option.setAttribute("role", "option");
        option.setAttribute("aria-selected", "false");
        option.dataset.address = each.address;
        for (const [name, text] of [["text", each.text], ["kind", each.kind], ["note", each.note]]) {
          if (!text) continue;
          const part = document.createElement("span");
          part.className = name;
          part.textContent = text;
          option.append(part, " ");
        }
        // Before the field loses its focus.
        option.addEventListener("mousedown", (event) => { event.preventDefault(); go(option); });
        return option;
      });
      list.replaceChildren(...options);
      chosen = -1;
      input.removeAttribute("aria-activedescendant");
      list.hidden = !options.length;
      input.setAttribute("aria-expanded", String(!list.hidden));
      told.textContent = options.length ? `${options.length} suggestions` : "";
    }

    function go(option) {
      const address = option.dataset.address;
      // Only pages of this server.
      if (address.startsWith("/") && !address.startsWith("//")) location.assign(address);
    }

    async function ask() {
      const q = input.value.trim();
      asked?.abort();
      if (q.length < 2) { show([]); return; }
      asked = new AbortController();
      try {
        const answer = await fetch(`/search/suggest.json?q=${encodeURIComponent(q)}`, { signal: asked.signal, headers: { accept: "application/json" } });
        if (answer.ok && document.activeElement === input) show((await answer.json()).suggestions);
      } catch { /* given up, or no answer: the form still works */ }
    }

    input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(ask, WAIT); });
    input.addEventListener("blur", () => { clearTimeout(timer); asked?.abort(); close(); });
    input.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" && list.hidden) { event.preventDefault(); if (options.length) reopen(); else ask(); return; }
      if (list.hidden) return;
      if (event.key === "ArrowDown") { event.preventDefault(); choose(chosen + 1 < options.length ? chosen + 1 : -1); }
      else if (event.key === "ArrowUp") { event.preventDefault(); choose(chosen < 0 ? options.length - 1 : chosen - 1); }
      else if (event.key === "Enter" && options[chosen]) { event.preventDefault(); go(options[chosen]); }
      else if (event.key === "Escape") { event.preventDefault(); close(); }
    });

    function reopen() {
      list.hidden = false;
      input.setAttribute("aria-expanded", "true");
    }
  }

  document.querySelectorAll("#find, [data-suggest]").forEach(combobox);
})();
