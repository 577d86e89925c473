// Shows /openapi.json, without any library.

import { call } from "./api.js";
import { byId, el } from "./dom.js";

function endpoint(path, method, operation) {
  const parameters = operation.parameters ?? [];
  const body = Object.entries(operation.requestBody?.content ?? {});
  return el("div", { class: "endpoint" },
    el("h2", {}, el("span", { class: "method" }, method.toUpperCase()), el("span", { class: "mono" }, path)),
    el("p", {}, operation.description ?? operation.summary ?? ""),
    parameters.length ? el("ul", {}, parameters.map((item) => el("li", {},
      el("span", { class: "mono" }, item.name), ` (${item.in}${item.required ? "" : ", optional"}) ${item.description ?? ""}`))) : null,
    body.map(([type, content]) => el("details", {}, el("summary", {}, `Body: ${type}`),
      el("pre", { class: "mono" }, JSON.stringify(content.example ?? content.schema?.properties ?? {}, null, 2)))));
}

const description = await call("/openapi.json");
byId("endpoints").replaceChildren(...Object.entries(description.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => endpoint(path, method, operation))));
