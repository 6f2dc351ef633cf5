// Before anything is painted: the theme that this browser was told to use. No module, since those wait for the document.
try {
  const theme = JSON.parse(localStorage.getItem("holdfast.theme") ?? "null");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // without a storage the page looks as the system does
}
