// Reads the result document (orchestrator/result/schema.json). The only module of the page that knows its names.

/** Returns what the result view shows of a whole session. */
export function readDocument(result) {
  const missing = new Set((result.provenance?.inputs ?? []).filter((input) => input.sha256 === null).map((input) => input.position));
  const answers = result.results.map((answer) => readAnswer(answer, !missing.has(answer.position)));
  return {
    name: result.name,
    totals: readTotals(result.totals, answers),
    conclusion: answers.length > 1 ? result.llm_results?.kesimpulan_llm : "",
    answers,
    provenance: result.provenance ?? {},
  };
}

/** Returns what the answers' scores come to. Only scores over all criteria of one rubric have a mean. */
function readTotals(totals, answers) {
  const scored = answers.filter((answer) => answer.total !== null);
  const whole = scored.filter((answer) => answer.scoredCount === answer.criterionCount);
  const averaged = new Set(whole.map((answer) => answer.rubric)).size === 1 ? whole : [];
  const mean = averaged.length ? averaged.reduce((sum, answer) => sum + answer.total, 0) / averaged.length : null;
  return {
    scoredCount: totals?.scored_count ?? scored.length,
    averagedCount: totals?.averaged_count ?? averaged.length,
    mean: totals ? totals.mean_total_score : mean,
    reason: totals?.reason ?? (whole.length ? "The answers were scored by different criteria." : "No answer has a score for all of its criteria."),
  };
}

function readAnswer(answer, hasRecording) {
  const transcript = answer.transcript ?? {};
  return {
    position: answer.position,
    question: answer.pertanyaan,
    error: answer.error ?? null,
    recording: { ...readRecording(answer), isThere: hasRecording },
    warnings: readWarnings(answer.warnings ?? [], transcript.warnings ?? []),
    language: transcript.language,
    transcriptOutcome: transcript.outcome,
    transcriptReason: transcript.reason,
    segments: (transcript.segments ?? []).map(readSegment),
    conclusion: answer.kesimpulan_llm,
    ...readAssessment(answer.assessment ?? {}),
    observations: answer.observations ?? [],
    picture: readSense(answer, "vision", "picture", isSeen),
    voices: readSense(answer, "speaker", "sound", isHeard),
    measures: Object.entries(answer.measures ?? {}).flatMap(([group, items]) =>
      Object.entries(items).map(([name, item]) => ({ group, name, ...item }))),
    stages: Object.entries(answer.stages ?? {}).map(([name, stage]) => ({ name, ...stage })),
  };
}

function readAssessment(assessment) {
  const sentences = new Map((assessment.sentences ?? []).map((sentence) => [sentence.id, sentence]));
  const criteria = (assessment.criteria ?? []).map((criterion) => readCriterion(criterion, sentences));
  const scored = criteria.filter((criterion) => criterion.level !== null);
  return {
    method: assessment.method,
    assessmentOutcome: assessment.outcome,
    assessmentReason: assessment.reason,
    total: assessment.total_score ?? null,
    criteria,
    scoredCount: assessment.scored_criterion_count ?? scored.length,
    criterionCount: assessment.criterion_count ?? criteria.length,
    rubric: JSON.stringify([assessment.rubric?.id, assessment.rubric?.sha256, criteria.map((criterion) => criterion.id)]),
  };
}

function readRecording(answer) {
  const frameRate = answer.measures?.recording?.frame_rate?.value;
  return {
    fileName: answer.video_file,
    hasPicture: Boolean(answer.recording?.picture_codec) || typeof frameRate === "number",
    clockOffsetS: answer.recording?.clock_offset_s,
  };
}

/** Returns all warnings; those of the transcript are sentences, and an older document has no others. */
function readWarnings(warnings, sentences) {
  const said = new Set(warnings.map((item) => item.message));
  return [
    ...warnings.map((item) => ({ message: item.message, startS: item.start_s, endS: item.end_s })),
    ...sentences.filter((text) => !said.has(text)).map((message) => ({ message })),
  ];
}

/** Returns what was looked at, or listened to: its share of the recording, or why there is none, and the observations' count. */
function readSense(answer, stageName, partName, isOfSense) {
  const part = answer.verdict?.[partName];
  const stage = answer.stages?.[stageName];
  const count = (answer.observations ?? []).filter((item) => isOfSense(item.kind)).length;
  if (part) return { count, share: part.looked_at_ratio, outcome: part.outcome, reason: part.reason };
  const isDone = !stage || (stage.state === "done" && !["NO_VIDEO", "NO_AUDIO"].includes(stage.outcome));
  return { count, share: isDone ? null : 0, outcome: stage?.outcome, reason: stage?.message };
}

const isHeard = (kind) => kind === "second_voice";
const isSeen = (kind) => !isHeard(kind) && kind !== "no_picture"; // which says that there was nothing to look at

function readSegment(segment) {
  const translations = Object.entries(segment.translations ?? {});
  return {
    text: segment.text,
    startS: segment.start_s,
    endS: segment.end_s,
    voice: segment.voice ?? 0,
    translations: translations.filter(([, item]) => item.text).map(([language, item]) =>
      ({ language, text: item.text, doubts: item.doubts ?? [] })),
  };
}

/** Level 1 is 0, level 5 is 100. */
const scoreOf = (level) => (typeof level === "number" ? (100 * (level - 1)) / 4 : null);

function readCriterion(criterion, sentences) {
  return {
    id: criterion.id,
    name: criterion.name || criterion.id,
    outcome: criterion.outcome,
    reason: criterion.reason,
    level: criterion.level,
    score: criterion.score ?? scoreOf(criterion.level),
    spread: criterion.spread ?? null,
    evidence: criterion.evidence.map((item) => ({
      text: sentences.get(item.sentence_id)?.text ?? "",
      startS: item.start_s,
      otherVoice: item.other_voice,
    })),
    strengths: criterion.strengths.map((remark) => remark.text),
    gaps: criterion.gaps.map((remark) => remark.text),
  };
}
