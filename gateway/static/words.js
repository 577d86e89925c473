// Plain words for what the API says in codes.

const STAGES = {
  fetch: "Download", extract: "Sound", transcribe: "Transcript", translate: "Translation",
  assess: "Assessment", vision: "Picture", speaker: "Voices",
};

const STATES = {
  pending: "waiting", running: "working", waiting: "waiting for its service", done: "done", failed: "failed", skipped: "left out",
  fetching: "downloading", queued: "waiting", processing: "working", completed: "completed", cancelled: "cancelled",
};

const REASONS = {
  OK: "",
  INVALID_INPUT: "The recording can't be used. Sending it again will not help.",
  INSUFFICIENT_EVIDENCE: "Too little was said to judge this. Listen to the answer.",
  LOW_AUDIO_QUALITY: "The sound is too poor to tell. Listen to the recording.",
  NO_SPEECH: "Nobody speaks in this recording.",
  NO_FACE: "No face is visible in this recording.",
  NO_AUDIO: "The recording has no sound track.",
  NO_VIDEO: "The recording has no picture.",
  SERVICE_UNAVAILABLE: "The service for this could not be reached. Submit the recording again later.",
  NOT_CONFIGURED: "This is not set up on this system, so nothing was computed.",
  SKIPPED: "Left out, because a stage before it gave nothing to work on.",
  FETCH_FAILED: "Left out, because the recording could not be downloaded.",
  EXTRACT_FAILED: "Left out, because the recording could not be read.",
  TRANSCRIBE_FAILED: "Left out, because there is no transcript.",
  CANCELLED: "Stopped on request.",
  DOWNLOAD_FAILED: "The recording could not be downloaded: the link's server is away. Retry the session later.",
  DOWNLOAD_TOO_SLOW: "The link's server is too slow. Retry the session later, or upload the file.",
  DOWNLOAD_COMPRESSED: "The link's server sends the file compressed. Use another link, or upload the file.",
  DOWNLOAD_QUOTA_EXCEEDED: "Google Drive has handed this file out too often. Retry the session tomorrow, or upload the file.",
  FETCH_ABANDONED: "Downloading this link failed again and again. Upload the file.",
  LINK_HOST_FORBIDDEN: "Links to this host are not allowed here. Upload the file.",
  WORK_FOLDER_FULL: "The disk of the system is full. Tell the operator.",
  DOWNLOAD_REFUSED: "The link's server refuses the file. Check that the link is right and shared with everyone.",
  VIDEO_URL_MISSING: "A link to the recording is missing. Submit the answer again with a link.",
  QUESTION_MISSING: "The question is missing. Submit the answer again with its question.",
  LINK_FORBIDDEN: "The link leads into a private network. Use a public link, or upload the file.",
  LINK_INVALID: "This link can't be opened. Use a share link or a direct http(s) link.",
  NOT_A_VIDEO: "The file is not a video. Send the recording itself.",
  FILE_TOO_LARGE: "The recording is too large. Send a smaller file.",
  MEDIA_UNDECODABLE: "The recording can't be read. Export it again as MP4 (H.264/AAC) or WebM.",
  MEDIA_TRUNCATED: "The recording is cut off. Send the complete file.",
  MEDIA_NOT_FOUND: "The recording is no longer stored. Upload it again.",
  MEDIA_TOO_SHORT: "There is next to nothing in the recording. Send the whole recording.",
  MEDIA_TOO_LONG: "The recording is too long. Send it in parts.",
  MEDIA_TOO_LARGE: "The recording is too large. Send a smaller file.",
  MEDIA_TOO_COMPLEX: "The recording takes too much time or memory to read. Export it again as MP4 (H.264/AAC).",
  MEDIA_PIXELS_EXCEEDED: "The picture is too large. Send the recording in a smaller size.",
  STAGE_AWAY: "The service for this can't be reached. It goes on by itself.",
  QUEUE_FULL: "The service for this has no room at the moment. It goes on by itself.",
  STAGE_AWAY_TOO_LONG: "The service for this was away for too long. Tell the operator, then retry the session.",
  STAGE_DIED_ONCE: "The service for this broke off while it worked on this answer. The answer is tried once more. It goes on by itself.",
  STAGE_DIED_TWICE: "The service for this broke off twice while it worked on this answer, so this part is left out. Export the recording again and submit it anew, or tell the operator.",
  STAGE_HUNG: "The service for this did not get on with this recording. Tell the operator, then retry the session.",
  REPLY_INVALID: "The service for this gave an answer that can't be right. Tell the operator, then retry the session.",
  NEGATION_DOUBTFUL: "This translation may say no where the speaker did not, or the other way round. Compare it with the original.",
  QUANTITY_DOUBTFUL: "A number, time or amount in this translation may differ from the original. Compare them.",
  MODEL_UNAVAILABLE: "The language model does not answer. Try again later.",
  MODEL_QUOTA_EXCEEDED: "The quota of the language model is used up. Tell the operator.",
};

const KINDS = {
  no_face: "No face", second_face: "Second face", looking_away: "Head turned away", second_voice: "Second voice",
  face_too_small: "Face too small to tell", no_picture: "No picture",
};

const MEASURES = {
  duration: "Length", frame_rate: "Pictures a second", loudness: "Loudness", peak: "Loudest moment",
  clipping: "Share of the sound that is clipped", signal_to_noise: "Speech above the background",
  speech_rate: "Words a minute of speaking", speaking_ratio: "Share of the time spoken", speaking_time: "Time spoken", pause_count: "Pauses",
  face_ratio: "Face visible", eye_contact_ratio: "Eyes on the camera", looking_away_ratio: "Head turned away",
  looking_down_ratio: "Looking down", looking_up_ratio: "Looking up", gaze_stability_ratio: "Steadiness of the gaze",
  blink_count: "Blinks", blink_rate: "Blinks a minute", smile_intensity: "Smile, mean", smile_variation: "Smile, variation",
  brow_movement: "Movement of the brows", head_movement: "Movement of the head", yaw_spread: "Head to the sides, spread",
  pitch_spread: "Head up and down, spread", roll_spread: "Head tilted, spread", voice_count: "Voices",
  second_voice_probability: "Probability of a second voice",
};

const UNITS = {
  ratio: "%", deg: "°", s: "s", per_min: "/min", words_per_speaking_min: "/min", count_per_min: "/min", words_per_min: "words/min", wpm: "words/min",
  count: "", hz: "Hz", fps: "/s", db: "dB", dbfs: "dBFS", score: "", "1": "",
};

const sentence = (code) => {
  const text = String(code).replaceAll("_", " ").toLowerCase();
  return text.charAt(0).toUpperCase() + text.slice(1);
};

export const stageName = (code) => STAGES[code] ?? sentence(code);
export const stateName = (code) => STATES[code] ?? sentence(code);
export const kindName = (code) => KINDS[code] ?? sentence(code);

export const measureName = (code) => MEASURES[code] ?? sentence(code);

/** Returns why something is as it is: the message where there is one, else words for the code. A code never stands alone. */
export function reasonText(code, message) {
  if (message) return message;
  if (!code) return "";
  return REASONS[code] ?? `This did not work (${code}). Try the session again, or tell the operator this code.`;
}

/** Returns of how many criteria a total is. */
export const criteriaText = ({ scoredCount, criterionCount }) =>
  scoredCount < criterionCount ? `The score is of ${scoredCount} of ${criterionCount} criteria. Don't compare it with a score of other criteria.`
    : criterionCount === 1 ? "The score is of one criterion." : `The score is of all ${criterionCount} criteria.`;

/** Returns a score as a whole number. Halves go to the even one, as in the sentences of the result document. */
export const points = (score) => (Math.abs(score % 1) === 0.5 ? 2 * Math.round(score / 2) : Math.round(score));

/** Returns a range with its unit; one end may be open. */
export function rangeText({ low, high }, unit) {
  const hasLow = typeof low === "number";
  const hasHigh = typeof high === "number";
  if (hasLow && hasHigh) return `${plain(low, unit)} to ${quantity(high, unit)}`;
  return hasLow ? `at least ${quantity(low, unit)}` : hasHigh ? `at most ${quantity(high, unit)}` : "–";
}

const plain = (value, unit) => (unit === "ratio" ? Math.round(value * 100) : value);

/** Returns a number with its unit; a share becomes a percentage. */
export function quantity(value, unit = "") {
  if (value === null || value === undefined) return "–";
  if (typeof value !== "number") return String(value);
  if (unit === "ratio") return `${Math.round(value * 100)} %`;
  const digits = Number.isInteger(value) ? 0 : Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${UNITS[unit] ?? String(unit).replaceAll("_", " ")}`.trim();
}

/** Returns seconds as m:ss. */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

const WAITED_FOR = {
  STORE_UNAVAILABLE: "the media store", STORE_FULL: "the media store", WORK_FOLDER_FULL: "room on the disk",
};
const SERVICES = { transcribe: "transcriber", translate: "translator", assess: "assessor" };

/** Says since when a stage waits for its service, in the reader's time. */
export function waitingText(stage) {
  const since = new Date(stage.waiting_since_s * 1000);
  const today = since.toDateString() === new Date().toDateString();
  const time = today ? since.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })
    : since.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  const service = `the ${SERVICES[stage.stage] ?? stage.stage} service`;
  if (stage.reason === "STAGE_DIED_ONCE") return `Waiting since ${time} to be tried once more, because ${service} broke off. It goes on by itself.`;
  const who = WAITED_FOR[stage.reason] ?? service;
  return `Waiting for ${who} since ${time}. It goes on by itself.`;
}

/** Returns seconds in words, for an estimate. */
export const about = (seconds) => (seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.round(seconds / 60)} min`);

export const fileSize = (bytes) =>
  bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;

/** Names that Chromium leaves out of its own list. */
const LANGUAGES = { ba: "Bashkir", bo: "Tibetan" };

/** Returns a language's name in the reader's words. */
export function languageName(code) {
  if (code in LANGUAGES) return LANGUAGES[code];
  try {
    return new Intl.DisplayNames(["en"], { type: "language" }).of(code) ?? code;
  } catch {
    return code;
  }
}
