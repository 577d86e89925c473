// Reads the result document (orchestrator/result/schema.json). The only module of the page that knows its names.

/** Returns what the result view shows of a whole session. */
export function readDocument(result) {
  const answers = result.results.map(readAnswer);
  return {
    name: result.name,
    total: mean(answers.map((answer) => answer.total)),
    conclusion: answers.length > 1 ? result.llm_results?.kesimpulan_llm : "",
    answers,
    provenance: result.provenance ?? {},
  };
}

function readAnswer(answer) {
  const transcript = answer.transcript ?? {};
  const assessment = answer.assessment ?? {};
  const sentences = new Map((assessment.sentences ?? []).map((sentence) => [sentence.id, sentence]));
  return {
    position: answer.position,
    question: answer.pertanyaan,
    error: answer.error ?? null,
    language: transcript.language,
    transcriptOutcome: transcript.outcome,
    transcriptReason: transcript.reason,
    warnings: transcript.warnings ?? [],
    segments: (transcript.segments ?? []).map(readSegment),
    method: assessment.method,
    assessmentOutcome: assessment.outcome,
    assessmentReason: assessment.reason,
    conclusion: answer.kesimpulan_llm,
    total: assessment.total_score ?? null,
    criteria: (assessment.criteria ?? []).map((criterion) => readCriterion(criterion, sentences)),
    observations: answer.observations ?? [],
    measures: Object.entries(answer.measures ?? {}).flatMap(([group, items]) =>
      Object.entries(items).map(([name, item]) => ({ group, name, ...item }))),
    stages: Object.entries(answer.stages ?? {}).map(([name, stage]) => ({ name, ...stage })),
  };
}

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
    name: criterion.name || criterion.id,
    outcome: criterion.outcome,
    reason: criterion.reason,
    level: criterion.level,
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

function mean(values) {
  const known = values.filter((value) => typeof value === "number");
  return known.length ? known.reduce((sum, value) => sum + value, 0) / known.length : null;
}
