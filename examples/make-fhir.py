#!/usr/bin/env python3
"""Makes examples/fhir/ from the published FHIR R4 examples.

mvn dependency:copy -Dartifact=com.ibm.fhir:fhir-examples:4.11.1, unpack the jar, then: make-fhir.py UNPACKED/json/spec

`record.json` is a transaction Bundle of published resources about one patient. The text of each resource is taken over as it is, so
that decimals keep their zeros; where a resource was about another example patient, its subject is changed, and nothing else.
`published/` holds files as they were published. `published-wrong/` holds published files that break a rule of the specification.
"""
import json
import pathlib
import re
import shutil
import sys

PATIENT = "Patient/f001"
RECORD = [
    ("patient-example-f001-pieter", None),
    ("encounter-example-f001-heart", None),
    ("condition-example-f001-heart", None),
    ("observation-example-f001-glucose", None),
    ("observation-example-f002-excess", None),
    ("observation-example-f003-co2", None),
    ("observation-example-f004-erythrocyte", None),
    ("observation-example-f005-hemoglobin", None),
    ("diagnosticreport-example-f001-bloodexam", None),
    ("observation-example-bloodpressure", "Patient/example"),
    ("allergyintolerance-example", "Patient/example"),
    ("medicationrequest0302", "Patient/pat1"),
    ("imagingstudy-example", "Patient/dicom"),
    ("procedure-example-f001-heart", None),
    ("coverage-example", "Patient/4"),
]
WRONG = [
    "medicationrequest0301",
    "observation-example-clinical-gender",
    "deviceusestatement-example",
    "devicemetric-example",
    "codesystem-extensions-CodeSystem-author",
    "valueset-extensions-ValueSet-end",
    "message-request-link",
]
ALSO = ["patient-example-chinese", "bundle-example", "bundle-transaction", "bundle-response", "bundle-references", "molecularsequence-example",
        "observation-decimal", "condition-example-f202-malignancy", "patient-example", "observation-example-date-lastmp", "questionnaireresponse-example-bluebook"]
MAX_BYTES = 5200


def main(source, out):
    entries = []
    for name, other in RECORD:
        text = (source / (name + ".json")).read_text("utf8").strip()
        if other:
            text = text.replace('"%s"' % other, '"%s"' % PATIENT)
        resource = json.loads(text)
        if resource["resourceType"] == "Bundle":  # published with its surroundings: the first entry is the resource
            start = text.index('"resource"') + len('"resource"')
            start = text.index("{", start)
            resource, end = json.JSONDecoder().raw_decode(text, start)
            text = text[start:end]
        at = "%s/%s" % (resource["resourceType"], resource["id"])
        entries.append('{"fullUrl":"http://hospital-a.example/fhir/%s","resource":%s,"request":{"method":"PUT","url":"%s"}}' % (at, text, at))
    (out / "record.json").write_text('{"resourceType":"Bundle","id":"record","type":"transaction","entry":[\n%s\n]}\n' % ",\n".join(entries), "utf8")

    for folder in ("published", "published-wrong"):
        shutil.rmtree(out / folder, ignore_errors=True)
        (out / folder).mkdir()
    for name in WRONG:
        shutil.copy(source / (name + ".json"), out / "published-wrong")
    seen = {}
    for path in sorted(source.glob("*.json"), key=lambda p: (p.stat().st_size, p.name)):
        if path.stem in WRONG or re.search("questionnaire\\.|profile|extensions|^(codesystem|valueset|sc-|operation|cm-|searchparam)", path.name):
            continue
        if path.stat().st_size > MAX_BYTES and path.stem not in ALSO:
            continue
        kind = json.loads(path.read_text("utf8")).get("resourceType")
        if path.stem not in ALSO and (kind is None or seen.get(kind, 0) >= 2):
            continue
        seen[kind] = seen.get(kind, 0) + 1
        shutil.copy(path, out / "published")


main(pathlib.Path(sys.argv[1]), pathlib.Path(__file__).parent / "fhir")
