"""aiortc, a WebRTC implementation that shares no code with ours, publishes through WHIP and watches through WHEP.

    python tests/media/independent.py INTEROP-BINARY FOLDER

INTEROP-BINARY: cargo build -p synaq-media --example interop. FOLDER: takes the recordings. The Python is that of an
environment with aiortc (`cargo xtask test --only needs` makes one). Every expectation that fails ends with code 1.
"""

import asyncio
import json
import signal
import subprocess
import sys
import time
import urllib.request
import uuid
from pathlib import Path

from aiortc import RTCPeerConnection, RTCSessionDescription, VideoStreamTrack
from aiortc.mediastreams import AudioStreamTrack

PATIENCE_S = 60
FRAMES = 30


def fetch(base, method, path, body=None):
    request = urllib.request.Request(base + path, data=body and body.encode(), method=method)
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as response:
        return response.status, response.headers, response.read().decode()


async def call(*arguments):
    return await asyncio.to_thread(fetch, *arguments)


async def until(what, look):
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        found = await look()
        if found:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(f"{what}: not within {PATIENCE_S} s")


async def negotiate(base, peer, path):
    await peer.setLocalDescription(await peer.createOffer())
    status, headers, answer = await call(base, "POST", path, peer.localDescription.sdp)
    assert status == 201, status
    await peer.setRemoteDescription(RTCSessionDescription(sdp=answer, type="answer"))
    return headers["location"]


async def publish(base, session):
    peer = RTCPeerConnection()
    peer.addTransceiver(AudioStreamTrack(), direction="sendonly")
    peer.addTransceiver(VideoStreamTrack(), direction="sendonly")
    return peer, await negotiate(base, peer, f"/whip/{session}")


async def watch(base, session):
    peer = RTCPeerConnection()
    tracks = asyncio.Queue()
    peer.on("track", tracks.put_nowait)
    for kind in ("video", "audio"):
        peer.addTransceiver(kind, direction="recvonly")
    resource = await negotiate(base, peer, f"/whep/{session}")
    found = {}
    while len(found) < 2:
        track = await asyncio.wait_for(tracks.get(), PATIENCE_S)
        found[track.kind] = track
    return peer, resource, found


async def play(base, folder):
    session = str(uuid.uuid4())

    async def status():
        return json.loads((await call(base, "GET", f"/status/{session}"))[2])

    async def facts():
        return json.loads((await call(base, "GET", "/facts"))[2])

    async def flows():
        now = await status()
        return now if now.get("video_live") and now.get("audio_live") and now.get("fps") else None

    publisher, published = await publish(base, session)
    now = await until("picture and sound of aiortc", flows)
    print("published", now)
    viewer, watched, tracks = await watch(base, session)
    # aiortc gives no frame for what it could not decode, so each one here was whole.
    frames = [await asyncio.wait_for(tracks["video"].recv(), PATIENCE_S) for _ in range(FRAMES)]
    assert {(frame.width, frame.height) for frame in frames} == {(640, 480)}, frames[0]
    times = [frame.pts for frame in frames]
    assert times == sorted(set(times)), f"pictures out of order: {times}"
    sound = await asyncio.wait_for(tracks["audio"].recv(), PATIENCE_S)
    assert sound.sample_rate == 48_000, sound
    now = await status()
    assert now["viewers"] == 1 and now["width"] == 640 and now["height"] == 480, now
    assert "level" in now, "aiortc numbers the level extension otherwise than browsers do"
    await viewer.close()

    async def alone():
        return (await status()).get("viewers") == 0

    await until("the viewer's farewell", alone)
    await publisher.close()

    async def recorded():
        return any(session in line and "RecordingEnded" in line for line in await facts())

    await until("the end of the recording", recorded)
    assert any(session in line and "ByPeer" in line for line in await facts()), "close_notify was not understood"
    recording = Path(folder) / session / "webcam-0001.webm"
    probe = ["ffprobe", "-v", "error", "-count_frames", "-show_entries", "stream=codec_name,nb_read_frames", "-of", "json"]
    streams = json.loads(subprocess.check_output([*probe, recording]))["streams"]
    counts = {stream["codec_name"]: int(stream["nb_read_frames"]) for stream in streams}
    assert counts["vp8"] >= FRAMES and counts["opus"] >= 50, counts
    print("recorded", counts, published, watched)


def main():
    program, folder = sys.argv[1:]
    with subprocess.Popen([program, folder], stdout=subprocess.PIPE, text=True) as service:
        try:
            asyncio.run(play(service.stdout.readline().strip(), folder))
        finally:
            service.send_signal(signal.SIGINT)
    print("aiortc: ok")


main()
