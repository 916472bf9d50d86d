#!/usr/bin/env python3
"""Makes examples/ct/ from published test slices: pip install pydicom==3.0.2 pydicom-data==1.0.0 pylibjpeg-openjpeg pylibjpeg-libjpeg numpy

Four real slices of four published files become one study of one invented patient. The pixels are those of the sources, decoded where
they were compressed; everything that named a person, a place or another study is left out, and ImageType says DERIVED\\SECONDARY.
"""
import hashlib
import pathlib
import sys

import pydicom
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

# file, series, body part, Hounsfield offset of the stored values
SLICES = [
    ("693_UNCR.dcm", 1, "HEAD"),
    ("J2K_pixelrep_mismatch.dcm", 1, "HEAD"),
    ("CT_small.dcm", 2, "TSPINE"),
    ("bad_sequence.dcm", 2, "TSPINE"),
]


def uid(name):
    return "2.25.%d" % int.from_bytes(hashlib.sha256(b"xinglin examples/ct " + name.encode()).digest()[:16], "big")


def main(out):
    out.mkdir(parents=True, exist_ok=True)
    for number, (name, series, part) in enumerate(SLICES, 1):
        source = pydicom.dcmread(get_testdata_file(name))
        pixels = source.pixel_array
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = CTImageStorage
        meta.MediaStorageSOPInstanceUID = uid("instance %d" % number)
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        meta.ImplementationClassUID = uid("implementation")
        d = Dataset()
        d.file_meta = meta
        d.SpecificCharacterSet = "GB18030"
        d.ImageType = ["DERIVED", "SECONDARY", "AXIAL"]
        d.SOPClassUID = CTImageStorage
        d.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
        d.StudyInstanceUID = uid("study")
        d.SeriesInstanceUID = uid("series %d" % series)
        d.FrameOfReferenceUID = uid("frame %d" % series)
        d.StudyDate, d.StudyTime, d.AccessionNumber, d.StudyID = "20260203", "093000", "SYNTHETIC", "1"
        d.Modality = "CT"
        d.Manufacturer = "Xinglin examples"
        d.ReferringPhysicianName = ""
        d.StudyDescription = "头颅胸椎CT平扫"
        d.DerivationDescription = "Pixels of pydicom test file %s; identity invented" % name
        d.PatientName = "Wang^XiaoMing=王^小明"
        d.PatientID, d.PatientBirthDate, d.PatientSex = "SYNTHETIC-0001", "19900307", "M"
        d.BodyPartExamined = part
        d.SliceThickness = str(source.get("SliceThickness") or 1)
        d.KVP = "120"
        d.SeriesNumber, d.InstanceNumber = series, number
        spacing = [float(v) for v in source.PixelSpacing]
        d.ImagePositionPatient = ["0", "0", "%d" % (5 * number)]
        d.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
        d.PixelSpacing = ["%.6f" % v for v in spacing]
        d.PositionReferenceIndicator = ""
        d.SamplesPerPixel, d.PhotometricInterpretation = 1, "MONOCHROME2"
        d.Rows, d.Columns = pixels.shape
        d.BitsAllocated, d.BitsStored, d.HighBit = 16, 16, 15
        d.PixelRepresentation = 1 if pixels.dtype.kind == "i" else 0
        d.WindowCenter, d.WindowWidth = ("40", "80") if part == "HEAD" else ("300", "1500")
        d.RescaleIntercept, d.RescaleSlope = str(source.get("RescaleIntercept", 0)), str(source.get("RescaleSlope", 1))
        d.PixelData = pixels.astype("<i2" if pixels.dtype.kind == "i" else "<u2").tobytes()
        d["PixelData"].VR = "OW"
        d.save_as(out / ("IM%06d.dcm" % number), enforce_file_format=True)


main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent / "ct"))
