(() => {
  const words = document.getElementById("main").dataset;
  const shown = (n, all) => words.found.replace("{shown}", n).replace("{all}", all);
  const key = (cell) => cell.dataset.v === undefined ? cell.textContent : Number(cell.dataset.v);
  const order = (a, b) => typeof a === "number" && typeof b === "number" ? a - b :
    typeof a === "number" ? -1 : typeof b === "number" ? 1 :
    a.localeCompare(b, document.documentElement.lang, {numeric: true});
  for (const table of document.querySelectorAll("table")) {
    const body = table.tBodies[0], rows = [...body.rows];
    if (rows.length < 3) continue;
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, at) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const up = head.ariaSort === "descending" || (!head.ariaSort && head.className === "text");
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.ariaSort = up ? "ascending" : "descending";
        rows.sort((a, b) => order(key(a.cells[at]), key(b.cells[at])) * (up ? 1 : -1));
        body.append(...rows);
      });
    });
    if (rows.length < 10) continue;
    const label = document.createElement("label"), field = document.createElement("input");
    const told = document.createElement("span");
    field.type = "search";
    told.setAttribute("role", "status");
    label.append(words.filter + " ", field, " ", told);
    label.className = "filter";
    field.addEventListener("input", () => {
      const asked = field.value.toLowerCase();
      let n = 0;
      for (const row of rows) {
        row.hidden = !row.textContent.toLowerCase().includes(asked);
        n += !row.hidden;
      }
      told.textContent = asked ? shown(n, rows.length) : "";
    });
    table.closest(".scroll").before(label);
  }
})();
