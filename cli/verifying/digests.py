"""Digests: of the document itself, its configuration, recordings, models, rubrics, prompts and code."""

from __future__ import annotations

from importlib.metadata import version

from chassis.digests import configuration_digest, document_digest
from chassis.models import catalogue
from cli.verifying.checkout import Checkout
from cli.verifying.checks import Check, Checks, Json, Verdict
from cli.verifying.found_recordings import FoundRecording, FoundRecordings


def check_own_digests(document: Json) -> Checks:
    """Check the digests of what stands in the document: itself, and the configuration."""
    provenance = document["provenance"]
    recorded = provenance.get("document_sha256")
    yield _one("document", recorded, document_digest(document))
    config, recorded = provenance.get("config"), provenance["config_sha256"]
    if config is None:
        note = "The document has only the digest of its configuration."
        yield Check("configuration", Verdict.NOT_RECORDED, recorded, note=note)
    else:
        yield _one("configuration", recorded, configuration_digest(config))


def check_recordings(document: Json, recordings: FoundRecordings) -> Checks:
    """Check the digests of the recordings, and say what became of that of their sound."""
    for one in document["provenance"]["inputs"]:
        name = f"recording {one['position']}"
        if one["sha256"] is None:
            yield Check(name, Verdict.NOT_RECORDED)
            continue
        found = recordings.find(one["position"], one["video_file"])
        if isinstance(found, FoundRecording):
            yield _one(name, one["sha256"], found.sha256)
            yield _one(f"{name}, bytes", one["bytes"], found.size_bytes)
        else:
            yield Check(name, Verdict.UNCHECKED, one["sha256"], note=found)
        sound = one.get("audio_sha256")
        note = "The sound is taken from the recording by the orchestrator." if sound else ""
        verdict = Verdict.UNCHECKED if sound else Verdict.NOT_RECORDED
        yield Check(f"sound {one['position']}", verdict, sound, note=note)


def check_models(document: Json) -> Checks:
    """Check that the stages' models are named, and the digests of those that the catalogue pins."""
    models = document["provenance"].get("models")
    if models is None:
        yield Check("models", Verdict.NOT_RECORDED)
        return
    named = {(one["stage"], one["name"], one["version"], one["sha256"]) for one in models}
    used = {
        (stage, of["name"], of["version"] or None, of["digest"] or None)
        for answer in document["results"]
        for stage, one in answer["stages"].items()
        if (of := one["model"]) is not None
    }
    missing = sorted(f"{stage}: {name}" for stage, name, *_ in used - named)
    if missing:
        yield Check("models of the stages", Verdict.DIFFERS, None, ", ".join(missing))
    elif used:
        yield Check("models of the stages", Verdict.SAME, f"{len(used)} models", f"{len(used)} models")
    for stage, name, model_version, sha256 in sorted(named, key=str):
        yield _model(f"model {name} ({stage})", name, model_version, sha256)


def check_code(document: Json, checkout: Checkout) -> Checks:
    """Check code, version, rubrics and prompts against a checkout of the code that made the document."""
    provenance = document["provenance"]
    recorded, here = provenance["software_version"], version("interview-assessment")
    verdict = Verdict.SAME if recorded == here else Verdict.UNCHECKED
    note = "" if recorded == here else "Another version of this software made it."
    yield Check("software version", verdict, recorded, here, note)
    yield checkout.compared("code", provenance.get("code_sha256"), checkout.code_sha256)
    rubrics = {
        (rubric["id"], rubric["sha256"])
        for answer in document["results"]
        if (rubric := (answer.get("assessment") or {}).get("rubric")) is not None
    }
    for identifier, sha256 in sorted(rubrics, key=str):
        yield checkout.compared(f"rubric {identifier}", sha256, checkout.rubric_sha256(identifier))
    prompts = provenance.get("prompts")
    if prompts is None:
        yield Check("prompts", Verdict.NOT_RECORDED)
    for one in prompts or []:
        name = f"prompts of {one['stage']}"
        yield checkout.compared(name, one["sha256"], checkout.prompts_sha256(one["stage"], one["version"]))


def _one(name: str, recorded: object, computed: object) -> Check:
    if recorded is None:
        return Check(name, Verdict.NOT_RECORDED)
    return Check(name, Verdict.SAME if computed == recorded else Verdict.DIFFERS, recorded, computed)


def _model(check: str, name: str, model_version: str | None, sha256: str | None) -> Check:
    if sha256 is None:
        return Check(check, Verdict.NOT_RECORDED, note="Its provider holds the weights.")
    entry = catalogue().get(name)
    pinned = entry.files[0].sha256 if entry is not None and entry.version == model_version else ""
    if not pinned:
        return Check(check, Verdict.UNCHECKED, sha256, note="The catalogue pins no digest for it.")
    return _one(check, sha256, pinned)
