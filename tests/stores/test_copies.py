"""Files that readers find in a store at any moment, and those that are put back."""

import sys

import pytest

from jaxvae.errors import InputError
from jaxvae.options import given
from jaxvae.stores import copies, lease
from jaxvae.stores.copies import WorkingCopy
from jaxvae.stores.store import Store, StoreError

OLD = ["checkpoints/1/meta.json", "checkpoints/1/sha256.json"]
NEW = ["checkpoints/2/meta.json", "checkpoints/2/state/a", "checkpoints/2/sha256.json"]


def write(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)


@pytest.fixture
def place(bucket):
    return f"{bucket}/runs/a"


@pytest.fixture
def held(place):
    """Working copy of a run with a checkpoint."""
    with lease.hold(Store(place)) as locked:
        copy = WorkingCopy(place, lease=locked)
        write(copy.folder, "config.json", "metrics.jsonl", "summary.json", *OLD)
        copy.upload()
        yield copy


def read(place):
    copy = WorkingCopy(place)
    copy.fetch()
    return sorted(copies._files(copy.folder))


def test_everything_but_unfinished_files_goes_there_and_back(held, place):
    write(held.folder, "lock", "figures.part/a.png", ".codes.part.npz", "checkpoints/3.part/state", "figures/a.png")
    held.upload()
    assert read(place) == [*OLD, "config.json", "figures/a.png", "metrics.jsonl", "summary.json"]
    assert held.upload() == [], "nothing is put twice"


def test_at_every_moment_of_an_upload_a_reader_finds_a_complete_run(held, place, monkeypatch):
    """After each single object: a sealed step with all its files, its lines of metrics, no summary of another step."""
    found = []
    for name in ("put", "delete"):
        act = getattr(Store, name)
        monkeypatch.setattr(
            Store, name, lambda self, *given, act=act: (act(self, *given), found.append([*self.list()]))
        )
    monkeypatch.setattr(copies, "TRANSFERS", 1)
    (held.folder / "summary.json").unlink()
    for name in OLD:
        (held.folder / name).unlink()
    write(held.folder, *NEW)
    (held.folder / "metrics.jsonl").write_text("more lines")
    held.upload()
    write(held.folder, "summary.json")
    held.upload()
    seen = [copies.complete(names) for names in found]
    assert len(seen) > 6
    for names in seen:
        assert {*OLD} <= {*names} or {*NEW} <= {*names}
        assert {*names}.isdisjoint(NEW) or {*NEW} <= {*names}
        assert {*names}.isdisjoint(OLD) or {*OLD} <= {*names}
        assert "summary.json" not in names or OLD[0] not in names
    assert "summary.json" in seen[-1]


def test_what_a_killed_upload_left_is_not_fetched_and_is_deleted_by_the_next_one(held, place, tmp_path):
    write(tmp_path, NEW[0])
    Store(place).put(NEW[0], tmp_path / NEW[0])
    assert NEW[0] not in read(place)
    held.fetch()
    held.upload()
    assert NEW[0] not in Store(place).list()


def test_who_only_reads_deletes_nothing_and_replaces_what_it_wrote(held, place):
    reader = WorkingCopy(place)
    reader.fetch()
    write(held.folder, *NEW)
    held.upload()
    write(reader.folder, "evaluation.json")
    (reader.folder / "metrics.jsonl").unlink()
    assert reader.upload() == ["evaluation.json"]
    assert {*NEW, "metrics.jsonl", "evaluation.json"} <= {*read(place)}
    write(held.folder, "figures/a.png")
    held.upload()
    assert "evaluation.json" in read(place), "a training leaves files of others alone"


def test_a_run_that_changes_while_it_is_read_is_read_again(held, place, monkeypatch):
    fetch, reader = Store.fetch, WorkingCopy(place)

    def replace_first(self, name, path):
        if not (held.folder / NEW[0]).exists():
            write(held.folder, *NEW)
            for old in OLD:
                (held.folder / old).unlink()
            held.upload()
        fetch(self, name, path)

    monkeypatch.setattr(Store, "fetch", replace_first)
    reader.fetch()
    assert sorted(copies._files(reader.folder)) == sorted([*NEW, "config.json", "metrics.jsonl", "summary.json"])


def test_names_do_not_lead_out_of_the_folder(held, place, monkeypatch):
    listed = Store.list
    monkeypatch.setattr(Store, "list", lambda self: {**listed(self), "../../outside": None, "": None})
    assert "../../outside" not in read(place)


@pytest.mark.parametrize("problem", ["bucket", "network", "credentials", "package"])
def test_what_is_wrong_with_a_store_is_one_line(problem, bucket, monkeypatch):
    place, settings = f"{bucket}/run", {"max_retries": 0}
    monkeypatch.setattr("jaxvae.stores.store.RETRIES", settings)
    if problem == "bucket":
        expected, error, place = "there is no such bucket; make it, or name another", InputError, "s3://none-such/run"
    elif problem == "network":
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        expected, error = "cannot be reached: .*error sending request", StoreError
    elif problem == "credentials":
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name)
        monkeypatch.setenv("AWS_METADATA_ENDPOINT", "http://127.0.0.1:9/169.254.169.254")  # no cloud's, and at once
        expected, error = "no credentials were found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY", InputError
    else:
        monkeypatch.setitem(sys.modules, "obstore", None)
        expected, error = r"needs obstore, which is not installed; pip install 'jaxvae\[stores\]'", InputError
    with pytest.raises(error, match=rf"^run-dir: {place}:? {expected}") as caught, lease.hold(Store(place)):
        pass
    assert len(str(caught.value).splitlines()) == 1


def test_a_profile_of_aws_configure_is_read(bucket, tmp_path, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    (tmp_path / "credentials").write_text("[default]\naws_access_key_id = a\naws_secret_access_key = b\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    assert Store(bucket).list() == {}


def test_an_option_names_a_place_in_a_store_as_it_is():
    assert copies.address(given(run_dir="s3://bucket/runs/a").run_dir) == "s3://bucket/runs/a"
