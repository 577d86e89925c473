// Plain words for what the API says in codes.

const STAGES = {
  download: "Download", extract: "Sound", transcribe: "Transcript", translate: "Translation",
  assess: "Assessment", vision: "Picture", speaker: "Voices",
};

const STATES = {
  pending: "waiting", running: "working", done: "done", failed: "failed", skipped: "left out",
  downloading: "downloading", queued: "waiting", processing: "working", completed: "completed", cancelled: "cancelled",
};

const REASONS = {
  OK: "",
  INSUFFICIENT_EVIDENCE: "Too little was said to judge this.",
  LOW_AUDIO_QUALITY: "The sound is too poor to tell.",
  NO_SPEECH: "Nobody speaks in this recording.",
  NO_FACE: "No face is visible in this recording.",
  SERVICE_UNAVAILABLE: "The service for this could not be reached.",
  NOT_CONFIGURED: "This is not set up on this system, so nothing was computed.",
  SKIPPED: "Left out, because something it needs is absent.",
  DOWNLOAD_FAILED: "The recording could not be downloaded.",
  VIDEO_URL_MISSING: "No link to a recording was given.",
  QUESTION_MISSING: "No question was given.",
  LINK_FORBIDDEN: "The link leads into a private network.",
  LINK_INVALID: "The link can't be followed.",
  NOT_A_VIDEO: "The file is not a video.",
  MEDIA_UNDECODABLE: "The recording can't be decoded.",
};

const KINDS = {
  no_face: "No face", second_face: "Second face", looking_away: "Head turned away", second_voice: "Second voice",
  face_too_small: "Face too small to tell",
};

const MEASURES = {
  speech_rate: "Words spoken", speaking_ratio: "Share of the time spoken", speaking_time: "Time spoken", pause_count: "Pauses",
  face_ratio: "Face visible", eye_contact_ratio: "Eyes on the camera", looking_away_ratio: "Head turned away",
  looking_down_ratio: "Looking down", looking_up_ratio: "Looking up", gaze_stability_ratio: "Steadiness of the gaze",
  blink_count: "Blinks", blink_rate: "Blinks a minute", smile_intensity: "Smile, mean", smile_variation: "Smile, variation",
  brow_movement: "Movement of the brows", head_movement: "Movement of the head", yaw_spread: "Head to the sides, spread",
  pitch_spread: "Head up and down, spread", roll_spread: "Head tilted, spread", voice_count: "Voices",
  second_voice_probability: "Probability of a second voice",
};

const UNITS = {
  ratio: "%", deg: "°", s: "s", per_min: "/min", count_per_min: "/min", words_per_min: "words/min", wpm: "words/min",
  count: "", hz: "Hz", score: "", "1": "",
};

const sentence = (code) => {
  const text = String(code).replaceAll("_", " ").toLowerCase();
  return text.charAt(0).toUpperCase() + text.slice(1);
};

export const stageName = (code) => STAGES[code] ?? sentence(code);
export const stateName = (code) => STATES[code] ?? sentence(code);
export const kindName = (code) => KINDS[code] ?? sentence(code);

export const measureName = (code) => MEASURES[code] ?? sentence(code);

/** Returns why something is as it is: the message where there is one, else the code in plain words. */
export const reasonText = (code, message) => message || (code in REASONS ? REASONS[code] : code ? sentence(code) + "." : "");

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

/** Returns seconds in words, for an estimate. */
export const about = (seconds) => (seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.round(seconds / 60)} min`);

export const fileSize = (bytes) =>
  bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;

/** Returns a language's name in the reader's words. */
export function languageName(code) {
  try {
    return new Intl.DisplayNames(["en"], { type: "language" }).of(code) ?? code;
  } catch {
    return code;
  }
}
