/**
 * The closed lists that a search speaks in. A value outside of them is left out of a description, so nothing that somebody typed gets in. Wire values: append.
 * Source: requirement D7; DICOM PS3.3 C.7.3.1.1.1 (modality), PS3.16 Annex L (body part examined); FHIR R4 required status codes.
 */

const words = <const Text extends string>(text: Text): readonly string[] => text.trim().split(/\s+/);

/** DICOM's defined terms of Modality; `OT` is any other. */
export const MODALITIES = words(`
  AR ASMT AU BDUS BI BMD CR CT CTPROTOCOL DG DMS DOC DX ECG EEG EMG EOG EPS ES FID GM HC HD IO IOL IVOCT IVUS KER KO LEN LS MG
  MR M3D NM OAM OCT OP OPM OPT OPTBSV OPTENF OPV OSS OT PLAN POS PR PT PX REG RESP RF RG RTDOSE RTIMAGE RTPLAN RTRECORD RTSTRUCT
  RWV SEG SM SMR SR SRF STAIN TEXTUREMAP TG US VA XA XC`);

/** DICOM's defined terms of Body Part Examined, of humans. */
export const BODY_PARTS = words(`
  ABDOMEN ABDOMENPELVIS ADRENAL ANKLE ANUS AORTA ARM AXILLA BACK BLADDER BRAIN BREAST BRONCHUS BUTTOCK CALCANEUS CALF CAROTID
  CEREBELLUM CERVIX CHEEK CHEST CHESTABDOMEN CHESTABDPELVIS CIRCLEOFWILLIS CLAVICLE COCCYX COLON CORNEA CORONARYARTERY CSPINE
  CTSPINE DUODENUM EAR ELBOW ESOPHAGUS EXTREMITY EYE EYELID FACE FEMUR FINGER FOOT FOREARM GALLBLADDER HAND HEAD HEADNECK HEART HIP
  HUMERUS IAC ILEUM ILIUM JAW JEJUNUM KIDNEY KNEE LARYNX LEG LIVER LSPINE LSSPINE LUNG MAXILLA MEDIASTINUM MOUTH NECK NECKCHEST
  NECKCHESTABDOMEN NECKCHESTABDPELV NOSE ORBIT OVARY PANCREAS PAROTID PATELLA PELVIS PENIS PHARYNX PROSTATE RADIUS RADIUSULNA RECTUM
  RIB SCALP SCAPULA SCLERA SCROTUM SHOULDER SKULL SPINE SPLEEN SSPINE STERNUM STOMACH SUBMANDIBULAR TESTIS THIGH THYMUS THYROID
  TIBIAFIBULA TLSPINE TMJOINT TOE TONGUE TRACHEA TSPINE ULNA UPRURINARYTRACT URETER URETHRA UTERUS VAGINA VULVA WHOLEBODY WRIST
  ZYGOMA`);

/** Makers of imaging equipment; what a device says of itself is matched to one of them or left out. */
export const MANUFACTURERS = words(`
  AGFA CANON CARESTREAM ESAOTE FUJIFILM GE HITACHI HOLOGIC KONICAMINOLTA MINDRAY NEUSOFT PHILIPS SAMSUNG SHIMADZU SIEMENS TOSHIBA
  UNITEDIMAGING`);

/** Public code systems whose codes are kept, by the names that a search uses. */
export const CODE_SYSTEMS = ["LOINC", "SNOMED", "ICD-10", "ATC"] as const;
export type CodeSystem = (typeof CODE_SYSTEMS)[number];

/** Their URIs in FHIR. Source: https://terminology.hl7.org, "External code systems". */
export const CODE_SYSTEM_URIS: Readonly<Record<CodeSystem, string>> = {
  LOINC: "http://loinc.org",
  SNOMED: "http://snomed.info/sct",
  "ICD-10": "http://hl7.org/fhir/sid/icd-10",
  ATC: "http://www.whocc.no/atc",
};

/** Values of `status`, and of the clinical status of conditions and allergies. */
export const FHIR_STATUSES = words(`
  active amended appended arrived booked cancelled checked-in completed corrected current draft ended entered-in-error error
  final finished fulfilled generated in-progress inactive intended issued not-done noshow on-hold onleave partial pending planned
  preliminary preparation proposed recurrence rejected relapse remission registered resolved retired revoked stopped superseded
  suspended triaged unavailable unknown waitlist`);
