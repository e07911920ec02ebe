"""A model hub on this machine, for one test: it takes commits, lists files and hands them out. Prints its address."""

import base64
import hashlib
import json
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MODELS = {}
"""Files by path, by the model's name."""
COMMIT = "0" * 40


class Hub(BaseHTTPRequestHandler):
    """Routes of the hub's API that pushing and fetching a small model use."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/api/repos/create":
            asked = json.loads(body)
            MODELS.setdefault(f"{asked['organization']}/{asked['name']}", {})
            return self.answer({"url": self.path, "id": "model"})
        if match := re.fullmatch(r"/api/models/(.+)/preupload/main", self.path):
            files = json.loads(body)["files"]
            return self.answer({"files": [{**file, "uploadMode": "regular", "shouldIgnore": False} for file in files]})
        if match := re.fullmatch(r"/api/models/(.+)/commit/main", self.path.split("?")[0]):
            lines = [json.loads(line) for line in body.splitlines()]
            files = [line["value"] for line in lines if line["key"] == "file"]
            MODELS[match[1]] |= {file["path"]: base64.b64decode(file["content"]) for file in files}
            return self.answer({"success": True, "commitOid": COMMIT, "commitUrl": self.path})
        return self.answer({"valid": True} if self.path == "/api/validate-yaml" else {"error": self.path}, 200)

    def do_GET(self):
        path = self.path.split("?")[0]
        if (match := re.fullmatch(r"/api/models/([^/]+/[^/]+)(/revision/.+)?", path)) and match[1] in MODELS:
            files = [{"rfilename": name} for name in MODELS[match[1]]]
            return self.answer({"id": match[1], "sha": COMMIT, "private": True, "siblings": files, "tags": []})
        if match := re.fullmatch(r"/api/models/([^/]+/[^/]+)/tree/.+", path):
            files = MODELS[match[1]].items()
            rows = [{"type": "file", "path": name, "size": len(data), "oid": oid(data)} for name, data in files]
            return self.answer(rows)
        if match := re.fullmatch(r"/([^/]+/[^/]+)/resolve/[^/]+/(.+)", path):
            return self.answer(MODELS[match[1]][match[2]])
        return self.answer({"error": f"{path} is not there"}, 404)

    do_HEAD = do_GET

    def answer(self, content, status=200):
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {
            "Content-Type": "application/octet-stream" if isinstance(content, bytes) else "application/json",
            "Content-Length": str(len(data)),
            "ETag": f'"{oid(data)}"',
            "X-Repo-Commit": COMMIT,
            **({"X-Error-Code": "RepoNotFound"} if status == 404 else {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, *_):
        """Say nothing."""


def oid(data):
    return hashlib.sha1(data).hexdigest()


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()
