// Start the explorers of a page: one per element <div data-explorer>. With data-explorer="ID", the data are inside the
// page, in the element of that id; otherwise they come from the server of the page.
import { Explorer, PAGE_STYLE } from "./explorer.js";
import { PageSource, ServerSource } from "./sources.js";

document.head.append(Object.assign(document.createElement("style"), { textContent: PAGE_STYLE }));
for (const root of document.querySelectorAll("[data-explorer]")) {
  const inside = root.dataset.explorer && document.getElementById(root.dataset.explorer);
  Promise.resolve(inside ? PageSource.read(inside.textContent) : new ServerSource())
    .then((source) => (window.terrariumExplorer = new Explorer(root, source)).start())
    .catch((error) => {
      root.textContent = `The explorer could not start: ${error.message}`;
      root.dataset.ready = "failed";
    });
}
