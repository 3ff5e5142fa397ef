"""A person or a program plays the model through the files of a folder."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from agents.devtools.fake_chutes.process import FakeChutes


def complete(fake_chutes: FakeChutes, text: str, **more: object) -> str:
    body = {"model": "Qwen/Qwen3-32B-TEE", "messages": [{"role": "user", "content": text}], **more}
    with httpx.Client(trust_env=False, timeout=60) as client:
        answer = client.post(f"{fake_chutes.base_url}/chat/completions", json=body, headers={"Authorization": f"Bearer {fake_chutes.key}"})
    content: str = answer.json()["choices"][0]["message"]["content"]
    return content


def wait_for(path: Path) -> str:
    for _ in range(600):
        if path.exists():
            return path.read_text("utf-8")
        time.sleep(0.05)
    raise AssertionError(path)


def test_each_prompt_is_a_file_and_its_reply_file_is_the_answer_while_a_probe_is_answered_at_once(tmp_path: Path) -> None:
    (tmp_path / "0007.prompt.txt").touch()
    with FakeChutes.started("--by-hand", str(tmp_path)) as fake_chutes, ThreadPoolExecutor() as threads:
        played = threads.submit(complete, fake_chutes, "Left or right?")
        assert wait_for(tmp_path / "0008.prompt.txt") == "=== user\nLeft or right?\n"
        complete(fake_chutes, "Say OK.", max_tokens=1)
        assert not (tmp_path / "0009.prompt.txt").exists()
        (tmp_path / "0008.reply.txt").write_text('{"actions": []}')
        assert played.result() == '{"actions": []}'
