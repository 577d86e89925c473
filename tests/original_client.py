"""A small web client with the original's habits: its addresses, its header, scripts in its page."""

from __future__ import annotations

from pathlib import Path

UPLOAD_PAGE = """<!DOCTYPE html>
<html lang="id"><head><meta charset="utf-8"><title>Upload</title>
<script>
  document.documentElement.dataset.inline = "ran";
</script>
</head><body style="color: black">
<input id="name"><input id="file" type="file">
<button id="clear" onclick="clearAll(); return false;">x</button>
<button id="send">Kirim</button><p id="said"></p>
<script src="Upload.js"></script>
</body></html>
"""
UPLOAD_SCRIPT = """
const API_BASE_URL = "";
const LEGACY = { "ngrok-skip-browser-warning": "true" };
const said = document.getElementById("said");
function clearAll() { document.documentElement.dataset.cleared = "yes"; }
document.getElementById("send").addEventListener("click", () => {
  const form = new FormData();
  form.append("candidate_name", document.getElementById("name").value);
  form.append("language", "en");
  form.append("questions", "Why?");
  form.append("videos", document.getElementById("file").files[0]);
  const request = new XMLHttpRequest();
  request.addEventListener("load", async () => {
    const { session_id: id } = JSON.parse(request.responseText);
    const status = await (await fetch(`${API_BASE_URL}/status/${id}`, { headers: LEGACY })).json();
    said.innerHTML = `${status.status} ${document.getElementById("name").value}`;  // as the original does it
    location.hash = id;
  });
  request.open("POST", `${API_BASE_URL}/upload`);
  request.setRequestHeader("ngrok-skip-browser-warning", "true");
  request.send(form);
});
"""


def write_client(folder: Path) -> Path:
    """Write the client's files, and return their folder."""
    folder.mkdir(parents=True)
    (folder / "Upload.html").write_text(UPLOAD_PAGE, encoding="utf-8")
    (folder / "Upload.js").write_text(UPLOAD_SCRIPT, encoding="utf-8")
    (folder / ".env").write_text("SECRET=1", encoding="utf-8")
    return folder
