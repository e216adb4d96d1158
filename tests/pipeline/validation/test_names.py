"""Principals with confusable names are reported, for every part of the pipeline file and the approvers file."""

from pathlib import Path

import pytest
import yaml

from promoter.model.errors import InvalidFile
from promoter.model.release import Source
from promoter.pipeline.loader import load, validate

KEY, OTHER = ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + letter * 43 for letter in "AB")
ANA, BEN = "ana@example.com", "ben@example.com"


def write(directory: Path, signers: str = "", **more: object) -> Path:
    head = {"name": "shop", "services": {"web": {"image": "registry.example.com/shop/web:1"}}}
    if signers:
        (directory / "signers").write_text(signers, encoding="utf-8")
        head["approvers"] = "signers"
    document = {**head, "environments": {"prod": {}}, **more}
    (directory / "pipeline.yaml").write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return directory / "pipeline.yaml"


def texts(path: Path, *, all_of_it: bool = False) -> str:
    with pytest.raises(InvalidFile) as caught:
        (validate if all_of_it else load)(path, source=Source(), environ={})
    return "; ".join(f"{c.line}: {c.message}" for c in caught.value.complaints)


@pytest.mark.parametrize("other", ["Ana@example.com", "ana@EXAMPLE.com", "ana\uff20example.com"])
def test_attack_21_two_signers_with_confusable_names(tmp_path: Path, other: str) -> None:
    text = texts(write(tmp_path, f"{ANA} {KEY}\n{other} {OTHER}\n"))
    assert "looks like ana@example.com, but people are counted by their names" in text


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ("\u0430na@example.com", "mixes letters of two alphabets"),
        ("ana\u200b@example.com", "it has an invisible character (U+200B)"),
        ("ana@example.com\u2060", "it has an invisible character (U+2060)"),
    ],
)
def test_attack_21_a_name_that_hides_what_it_is(tmp_path: Path, other: str, why: str) -> None:
    assert why in texts(write(tmp_path, f"{ANA} {KEY}\n{other} {OTHER}\n"))
    assert why in texts(write(tmp_path, roles={"lead": [other]}))
    assert why in texts(write(tmp_path, identities={BEN: [other]}))
    assert why in texts(write(tmp_path, environments={"prod": {"gates": [{"approval": {"from": [other]}}]}}), all_of_it=True)


def test_attack_21_composed_and_decomposed(tmp_path: Path) -> None:
    names = ["jos\u00e9@example.com", "jose\u0301@example.com"]
    assert "looks like jos\u00e9@example.com (U+00E9)" in texts(write(tmp_path, roles={"lead": names}))


def test_one_alphabet_that_is_read_as_another(tmp_path: Path) -> None:
    assert "looks like" in texts(write(tmp_path, roles={"lead": ["aha@example.com", "\u0430\u043d\u0430@example.com"]}))


def test_between_approvers_roles_identities_and_gates(tmp_path: Path) -> None:
    signers = f"{ANA} {KEY}\n"
    assert "looks like ana@example.com" in texts(write(tmp_path, signers, roles={"lead": ["Ana@example.com"]}))
    assert "looks like ana@example.com" in texts(write(tmp_path, signers, identities={BEN: ["ANA@example.com"]}))
    gates = {"prod": {"gates": [{"approval": {"from": ["Ana@example.com"]}}]}}
    assert "looks like ana@example.com, but is a different name" in texts(
        write(tmp_path, signers, environments=gates), all_of_it=True
    )


def test_spellings_of_one_person_that_the_file_calls_so_are_fine(tmp_path: Path) -> None:
    path = write(tmp_path, f"{ANA} {KEY}\n", identities={ANA: ["Ana@Example.com", "ana-dev", "ANA-dev"]})
    assert load(path, source=Source(), environ={}).pipeline.person("Ana@Example.com") == ANA
