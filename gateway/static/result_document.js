// Reads the result document (orchestrator/result/schema.json). The only module of the page that knows its names.

/** Returns what the result view shows of a whole session. */
export function readDocument(result) {
  const answers = result.results.map(readAnswer);
  const scored = answers.filter((answer) => answer.total !== null);
  const isComparable = new Set(scored.map((answer) => answer.basis)).size <= 1;
  return {
    name: result.name,
    scored,
    isComparable,
    total: scored.length && isComparable ? scored.reduce((sum, answer) => sum + answer.total, 0) / scored.length : null,
    conclusion: answers.length > 1 ? result.llm_results?.kesimpulan_llm : "",
    answers,
    provenance: result.provenance ?? {},
  };
}

function readAnswer(answer) {
  const transcript = answer.transcript ?? {};
  return {
    position: answer.position,
    question: answer.pertanyaan,
    error: answer.error ?? null,
    recording: readRecording(answer),
    warnings: readWarnings(answer.warnings ?? [], transcript.warnings ?? []),
    language: transcript.language,
    transcriptOutcome: transcript.outcome,
    transcriptReason: transcript.reason,
    segments: (transcript.segments ?? []).map(readSegment),
    conclusion: answer.kesimpulan_llm,
    ...readAssessment(answer.assessment ?? {}),
    observations: answer.observations ?? [],
    picture: readSense(answer, "vision", "visual"),
    voices: readSense(answer, "speaker", "audio"),
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
    // Totals are compared only where all of this is the same.
    basis: JSON.stringify([assessment.rubric?.id, assessment.rubric?.sha256, assessment.method, ...scored.map((criterion) => criterion.id).sort()]),
  };
}

function readRecording(answer) {
  const shown = answer.measures?.recording?.frame_rate?.value;
  const undecoded = (answer.warnings ?? []).some((item) => item.kind === "PICTURE_UNDECODABLE");
  return {
    fileName: answer.video_file,
    hasPicture: undecoded || typeof shown === "number" || isDone(answer.stages?.vision),
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

/** Returns whether a stage looked or listened, and how many observations it made. */
function readSense(answer, stageName, blockName) {
  const stage = answer.stages?.[stageName];
  const block = answer.cheating_detection?.[blockName];
  const isSound = (item) => item.kind === "second_voice";
  const count = (answer.observations ?? []).filter((item) => isSound(item) === (stageName === "speaker")).length;
  const isMissing = (stage !== undefined && !isDone(stage)) || block?.verdict === null;
  const source = stage !== undefined && stage.outcome !== "OK" ? stage : block ?? stage;
  return { count, isMissing, outcome: source?.outcome, reason: source?.message };
}

const isDone = (stage) => stage?.state === "done" && !["NO_VIDEO", "NO_AUDIO"].includes(stage.outcome);

function readSegment(segment) {
  const translations = Object.entries(segment.translations ?? {});
  return {
    text: segment.text,
    startS: segment.start_s,
    endS: segment.end_s,
    voice: segment.voice ?? 0,
    translations: translations.filter(([, item]) => item.text).map(([language, item]) => ({ language, text: item.text })),
  };
}

function readCriterion(criterion, sentences) {
  return {
    id: criterion.id,
    name: criterion.name || criterion.id,
    outcome: criterion.outcome,
    reason: criterion.reason,
    level: criterion.level,
    score: criterion.score ?? null,
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
