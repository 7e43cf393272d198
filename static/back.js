// After signing out, the Back button must not show a page of this person again: browsers keep whole
// pages in memory. A page that is left is hidden, and one that comes back from there is loaded anew.
addEventListener("pagehide", () => { document.documentElement.hidden = true; });
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
  else document.documentElement.hidden = false;
});
