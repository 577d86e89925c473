// The player of one recording, on the clock of the result.
//
// Result times count from the recording's first sample. Some recordings have a clock that begins later (a cut from a
// longer one). Chromium's player keeps that clock, and Firefox's begins at 0. So the page asks the player where it begins.

import { headers } from "./api.js";
import { el } from "./dom.js";

const SAME_CLOCK_S = 0.5;

/**
 * Returns the player: `view`, `seek(seconds)`, `onTime(listener)`, `onReady(listener)` and `durationS()`, which is null
 * as long as the player does not know it. All seconds are on the result's clock.
 */
export function createPlayer(url, recording, label) {
  const video = el("video", { controls: true, preload: "metadata", playsinline: true, src: recording.isThere ? url : null, hidden: !recording.isThere, "aria-label": label });
  const trouble = el("div", { class: "notice problem unplayable", role: "status", hidden: true });
  let beginS = null;
  let wantedS = null;

  const say = (text, offersFile) => {
    trouble.replaceChildren(text, ...(offersFile
      ? [" Download it, and open it in a video player. ", el("a", { href: url, download: recording.fileName || "" }, "Download the recording")] : []));
    trouble.hidden = false;
  };
  const moveTo = (seconds) => {
    video.currentTime = seconds + beginS;
  };
  video.addEventListener("loadeddata", () => {
    beginS = beginOf(video.currentTime, recording.clockOffsetS);
    if (wantedS !== null) moveTo(wantedS);
    wantedS = null;
  }, { once: true });
  video.addEventListener("loadedmetadata", () => {
    if (video.videoWidth === 0 && recording.hasPicture) say("This browser plays the sound of this recording, but it can't show its picture.", true);
  });
  video.addEventListener("error", async () => {
    const isThere = await fetch(url, { method: "HEAD", headers: headers() }).then((reply) => reply.status !== 404, () => true);
    if (isThere) say("This browser can't play this recording.", true);
    else say("There is no recording to play. It was deleted, or it never arrived.", false);
  });
  if (!recording.isThere) say("There is no recording to play. It never arrived.", false);
  return {
    view: el("div", {}, video, trouble),
    seek: (seconds) => {
      if (beginS === null) wantedS = seconds;
      else moveTo(seconds);
      video.play().catch(() => {}); // a browser may want a click on the player first
      video.scrollIntoView({ block: "nearest", behavior: "smooth" });
    },
    onTime: (listener) => video.addEventListener("timeupdate", () => listener(video.currentTime - (beginS ?? 0))),
    onReady: (listener) => ["loadedmetadata", "loadeddata", "durationchange"].forEach((name) => video.addEventListener(name, listener)),
    durationS: () => (Number.isFinite(video.duration) ? video.duration - (beginS ?? 0) : null),
  };
}

/** Returns what the player's clock shows at the recording's first sample: as the document says, where the player keeps that clock. */
function beginOf(playerS, documentS) {
  const isKnown = typeof documentS === "number";
  return isKnown && playerS >= documentS - SAME_CLOCK_S ? documentS : playerS;
}
