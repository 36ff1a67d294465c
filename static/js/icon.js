// Icons of the sprite, for pieces that are made here.

const SVG = "http://www.w3.org/2000/svg";

// Where the sprite is served (its name carries a hash in production) is read from an icon that the server printed.
function sprite() {
  const use = document.querySelector("svg.icon use");
  return use?.getAttribute("href")?.split("#")[0] ?? new URL("../icons.svg", import.meta.url).pathname;
}

/** The icon of this name, small or not. */
export function icon(name, isSmall = false) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", isSmall ? "icon icon--sm" : "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${sprite()}#${name}`);
  svg.append(use);
  return svg;
}
