"""Sends webhooks FROM to TO, every other one in chunks."""
import http.client
import sys
import urllib.parse

url, begin, end = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
conn = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=30)
for line in open("webhooks").read().splitlines()[begin:end]:
    n, event, delivery, signature, _ = line.split()
    body = open("payloads/" + n, "rb").read()
    chunks = int(n) % 2 == 0
    conn.request("POST", "/in/github/hooks",
                 body=iter([body[:100], body[100:]]) if chunks else body, encode_chunked=chunks,
                 headers={"User-Agent": "GitHub-Hookshot/0000000", "Content-Type": "application/json",
                          "X-GitHub-Event": event, "X-GitHub-Delivery": delivery, "X-Hub-Signature-256": signature,
                          **({"Transfer-Encoding": "chunked"} if chunks else {})})
    answer = conn.getresponse()
    answer.read()
    assert answer.status == 202, (n, answer.status)
