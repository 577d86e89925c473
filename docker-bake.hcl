# All images with one prefix and tag: `make images`, or `docker buildx bake` with these variables in the environment.
# `docker buildx bake gpu` builds the one with CUDA's libraries.
variable "INTERVIEW_IMAGE_PREFIX" { default = "interview" }
variable "INTERVIEW_IMAGE_TAG" { default = "0.1.0" }
# Such as python:3.11-slim@sha256:…
variable "BASE_IMAGE" { default = "python:3.11-slim" }
variable "VERSION" { default = "0.1.0" }
variable "REVISION" { default = "unknown" }
variable "SOURCE" { default = "unknown" }

group "default" { targets = ["process"] }
group "gpu" { targets = ["transcriber-gpu"] }

target "_common" {
  context = "."
  platforms = ["linux/amd64"]
  args = {
    BASE_IMAGE = BASE_IMAGE
    VERSION = VERSION
    REVISION = REVISION
    SOURCE = SOURCE
  }
}

target "process" {
  name = image.name
  matrix = {
    image = [
      { name = "transcriber", folder = "services/transcriber" },
      { name = "translator", folder = "services/translator" },
      { name = "assessor", folder = "services/assessor" },
      { name = "vision", folder = "services/vision" },
      { name = "speaker", folder = "services/speaker" },
      { name = "orchestrator", folder = "orchestrator" },
      { name = "gateway", folder = "gateway" },
      { name = "models", folder = "cli" },
    ]
  }
  inherits = ["_common"]
  dockerfile = "${image.folder}/Dockerfile"
  tags = ["${INTERVIEW_IMAGE_PREFIX}/${image.name}:${INTERVIEW_IMAGE_TAG}"]
}

target "transcriber-gpu" {
  inherits = ["_common"]
  dockerfile = "services/transcriber/Dockerfile"
  args = { IMAGE = "transcriber-gpu" }
  tags = ["${INTERVIEW_IMAGE_PREFIX}/transcriber-gpu:${INTERVIEW_IMAGE_TAG}"]
}
