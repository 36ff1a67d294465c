// "The mail as it was sent": fetched only when somebody unfolds it, in a frame that can do nothing.

/** Listen to the folds. Once per page. */
export function start() {
  document.addEventListener("toggle", ({ target }) => {
    const url = target.dataset?.mailHtml;
    if (!url || !target.open || target.querySelector("iframe")) return;
    const frame = document.createElement("iframe");
    frame.className = "bubble__mail";
    // No scripts and no forms; links may open a tab of their own. Our origin only for the cookie that opens the mail's
    // pictures: a frame that runs no script can do nothing else with it.
    frame.setAttribute("sandbox", "allow-same-origin allow-popups allow-popups-to-escape-sandbox");
    Object.assign(frame, { src: url, title: target.querySelector("summary")?.textContent.trim() ?? "", loading: "lazy" });
    target.append(frame);
  }, { capture: true }); // "toggle" does not bubble
}
