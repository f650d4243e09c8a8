// A table that is wider than its frame can be moved by keyboard, and says by its name that it is one.
(() => {
  const frames = document.querySelectorAll(".cell_output > .output, .pst-scrollable-table-container");
  const look = () => frames.forEach((frame) => {
    const wide = frame.scrollWidth > frame.clientWidth + 1 && frame.querySelector("table");
    frame.classList.toggle("scrolls", Boolean(wide));
    if (!wide) {
      ["role", "aria-label"].forEach((name) => frame.removeAttribute(name));
      return;
    }
    frame.tabIndex = 0;
    frame.setAttribute("role", "region");
    const heading = frame.closest("section")?.querySelector("h1, h2, h3");
    frame.setAttribute("aria-label", heading ? heading.firstChild.textContent : document.title);
  });
  window.addEventListener("resize", look);
  window.addEventListener("load", look);
})();
