// Before anything is drawn: the side that the visitor chose last.
(() => {
  "use strict";
  let chosen = null;
  try { chosen = localStorage.getItem("assay-theme"); } catch { /* storage is off */ }
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  document.documentElement.classList.add("js");
})();
