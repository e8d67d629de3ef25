"""What is compiled here is taken again only where it would be compiled alike."""

import sys

import install


def test_each_kind_of_build_has_a_cache_of_its_own(monkeypatch, tmp_path):
    monkeypatch.setenv("PIP_CACHE_DIR", str(tmp_path))
    monkeypatch.delenv("PIP_NO_CACHE_DIR", raising=False)
    pip = [sys.executable, "-m", "pip"]
    plain, other = ({"CMAKE_ARGS": args} for args in ("", "-DGGML_CUDA=on"))
    assert install.build_kind(plain) == install.build_kind(dict(plain))
    kinds = [install.build_kind(given) for given in (plain, other, {"CFLAGS": "-O1"})]
    assert len(set(kinds)) == 3
    assert install.cache_of(pip, kinds[0]) == ["--cache-dir", f"{tmp_path}/reelmake/{kinds[0]}"]
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    assert install.cache_of(pip, kinds[0]) == []
