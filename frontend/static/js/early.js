// Runs before the first paint, so that a chosen theme never flashes. The rest of the page is modules.
(() => {
  try {
    const theme = localStorage.getItem("cloudmeet.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
    const language = localStorage.getItem("cloudmeet.language") ?? navigator.language;
    document.documentElement.lang = language.toLowerCase().startsWith("ru") ? "ru" : "en";
  } catch {
    // Storage may be refused; the defaults stand.
  }
})();
