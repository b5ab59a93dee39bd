// What every page has: light and dark, the menu, copying, and forms that send themselves. All of it works without, too.
(() => {
  "use strict";

  function dark() {
    const chosen = document.documentElement.dataset.theme;
    return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  }

  function theme() {
    const button = document.getElementById("theme");
    if (!button) return;
    button.hidden = false;
    button.addEventListener("click", () => {
      const next = dark() ? "light" : "dark";
      document.documentElement.dataset.theme = next;
      try { localStorage.setItem("assay-theme", next); } catch { /* storage is off */ }
      document.dispatchEvent(new CustomEvent("assay:theme", { detail: next }));
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      document.dispatchEvent(new CustomEvent("assay:theme", { detail: dark() ? "dark" : "light" }));
    });
  }

  function menu() {
    const details = document.getElementById("menu");
    if (!details) return;
    const wide = matchMedia("(min-width: 64rem)");
    const set = () => { details.open = wide.matches; };
    wide.addEventListener("change", set);
    set();
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && details.open && !wide.matches) {
        details.open = false;
        details.querySelector("summary").focus();
      }
      const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement?.tagName ?? "");
      if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
        event.preventDefault();
        document.getElementById("find")?.focus();
      }
    });
  }

  function copying() {
    for (const button of document.querySelectorAll("button.copy")) {
      button.hidden = !navigator.clipboard;
      button.addEventListener("click", async () => {
        const text = button.dataset.copy ?? "";
        try {
          await navigator.clipboard.writeText(text);
          const before = button.textContent;
          button.textContent = "Copied";
          setTimeout(() => { button.textContent = before; }, 1500);
        } catch { /* not allowed: the text can be selected by hand */ }
      });
    }
  }

  // <select data-send> and <input data-send> send their form when they change.
  function sending() {
    for (const field of document.querySelectorAll("[data-send]")) {
      field.addEventListener("change", () => field.form?.requestSubmit());
    }
    // Empty fields would make long addresses.
    for (const form of document.querySelectorAll("form[method=get], form:not([method])")) {
      form.addEventListener("submit", () => {
        for (const field of form.elements) {
          if (field.name && field.value === "" && !field.disabled) {
            field.disabled = true;
            setTimeout(() => { field.disabled = false; }, 0);
          }
        }
      });
    }
  }

  function named(each) {
    if (each.matches(".scroll") && !each.hasAttribute("role")) {
      each.setAttribute("role", "group");
      each.setAttribute("aria-label", "Table that scrolls");
    }
  }

  // What scrolls can be scrolled with the keyboard, also where nothing in it takes the focus.
  function scrolling() {
    const watched = new ResizeObserver((entries) => {
      for (const { target } of entries) {
        const scrolls = target.scrollWidth > target.clientWidth || target.scrollHeight > target.clientHeight;
        if (scrolls && !target.hasAttribute("tabindex")) { target.tabIndex = 0; target.dataset.scrolls = "yes"; named(target); }
        else if (!scrolls && target.dataset.scrolls) { target.removeAttribute("tabindex"); delete target.dataset.scrolls; }
      }
    });
    for (const each of document.querySelectorAll(".scroll, .card, pre")) watched.observe(each);
  }

  // <time datetime> of moments are told in the visitor's zone, too.
  function times() {
    for (const time of document.querySelectorAll("time[data-local]")) {
      const moment = new Date(time.dateTime);
      if (!Number.isNaN(moment.valueOf())) time.title = moment.toLocaleString();
    }
  }

  window.assay = { dark };
  theme();
  menu();
  copying();
  sending();
  scrolling();
  times();
})();
