/**
 * The table that gives a record its class. Rows are data: a consortium that decides otherwise changes rows, not code. When nothing matches,
 * the class is `UNKNOWN_CONTENT`, which no ordinary consent opens: a record is closed until somebody can say what it is.
 * Sources: design.md, "Words" (categories) and "Consent" (class matrix); FHIR R4 resource categories; `observation-category`; HL7 v2 table
 * 0074; HL7 v3 ActCode sensitivity policies and Confidentiality; ICD-10 (GB/T 14396—2016 keeps its chapters); LOINC; SNOMED CT; ATC;
 * 《第一批罕见病目录》 through Orphanet codes; DICOM PS3.3 C.7.3.1.1.1 (modality).
 */
import type { Category, Level, RecordClass } from "@xinglin/contracts";

const row = (level: Level, category: Category): RecordClass => ({ level, category });

/** What cannot be told apart is as closed as the most closed. */
export const UNKNOWN_CONTENT: RecordClass = row("core", "protected");

const SENSITIVE_IDENTITY = row("sensitive", "identity");
const SENSITIVE_ENCOUNTERS = row("sensitive", "encounters");
const SENSITIVE_DIAGNOSES = row("sensitive", "diagnoses");
const SENSITIVE_MEDICATION = row("sensitive", "medication");
const SENSITIVE_LABORATORY = row("sensitive", "laboratory");
const SENSITIVE_IMAGING = row("sensitive", "imaging");
const SENSITIVE_PROCEDURES = row("sensitive", "procedures");
const SENSITIVE_VITALS = row("sensitive", "vitals");
const CORE_GENOME = row("core", "genome");
const CORE_PROTECTED = row("core", "protected");
const INTERNAL_COST = row("internal", "cost");
const INTERNAL_STAFF = row("internal", "identity");
const PUBLIC_DIRECTORY = row("public", "encounters");
const PUBLIC_DRUG = row("public", "medication");
const PUBLIC_SPECIFICATION = row("public", "cost");

/** Resource types by class, when no code in the instance says otherwise. Types not named here are `UNKNOWN_CONTENT`. */
const TYPES: readonly (readonly [RecordClass, string])[] = [
  [SENSITIVE_IDENTITY, "Patient RelatedPerson Person Group Consent"],
  [INTERNAL_STAFF, "Practitioner PractitionerRole Provenance AuditEvent VerificationResult"],
  [
    SENSITIVE_ENCOUNTERS,
    "Encounter EpisodeOfCare Appointment AppointmentResponse CareTeam Communication CommunicationRequest Task Schedule Slot",
  ],
  [PUBLIC_DIRECTORY, "Organization OrganizationAffiliation Location HealthcareService Endpoint"],
  [
    SENSITIVE_DIAGNOSES,
    "Condition ClinicalImpression FamilyMemberHistory RiskAssessment DetectedIssue Flag Goal AdverseEvent CarePlan",
  ],
  [
    SENSITIVE_MEDICATION,
    "AllergyIntolerance Medication MedicationAdministration MedicationDispense MedicationRequest MedicationStatement Immunization ImmunizationEvaluation ImmunizationRecommendation",
  ],
  [SENSITIVE_LABORATORY, "Observation DiagnosticReport Specimen Substance"],
  [SENSITIVE_IMAGING, "ImagingStudy"],
  [
    SENSITIVE_PROCEDURES,
    "Procedure ServiceRequest DeviceRequest NutritionOrder VisionPrescription RequestGroup SupplyRequest SupplyDelivery BodyStructure",
  ],
  [SENSITIVE_VITALS, "Device DeviceMetric DeviceUseStatement"],
  [CORE_GENOME, "MolecularSequence BiologicallyDerivedProduct"],
  [
    INTERNAL_COST,
    "Account ChargeItem Claim ClaimResponse Contract Coverage CoverageEligibilityRequest CoverageEligibilityResponse EnrollmentRequest EnrollmentResponse ExplanationOfBenefit Invoice PaymentNotice PaymentReconciliation MeasureReport ResearchStudy",
  ],
  [
    PUBLIC_DRUG,
    "MedicationKnowledge MedicinalProduct MedicinalProductAuthorization MedicinalProductContraindication MedicinalProductIndication MedicinalProductIngredient MedicinalProductInteraction MedicinalProductManufactured MedicinalProductPackaged MedicinalProductPharmaceutical MedicinalProductUndesirableEffect SubstanceNucleicAcid SubstancePolymer SubstanceProtein SubstanceReferenceInformation SubstanceSourceMaterial SubstanceSpecification",
  ],
  [
    PUBLIC_SPECIFICATION,
    "ActivityDefinition CapabilityStatement CatalogEntry ChargeItemDefinition CodeSystem CompartmentDefinition ConceptMap DeviceDefinition EffectEvidenceSynthesis EventDefinition Evidence EvidenceVariable ExampleScenario GraphDefinition ImplementationGuide InsurancePlan Library Measure MessageDefinition NamingSystem ObservationDefinition OperationDefinition OperationOutcome PlanDefinition Questionnaire ResearchDefinition ResearchElementDefinition RiskEvidenceSynthesis SearchParameter SpecimenDefinition StructureDefinition StructureMap Subscription SubscriptionStatus TerminologyCapabilities TestReport TestScript ValueSet",
  ],
];
export const CLASS_BY_TYPE: ReadonlyMap<string, RecordClass> = new Map(
  TYPES.flatMap(([cls, names]) => names.split(" ").map((name) => [name, cls] as const)),
);

/** Types that carry whatever somebody put into them. They are `UNKNOWN_CONTENT` unless a row of `CODE_ROWS` with `settles` knows their code. */
export const CARRIER_TYPES: ReadonlySet<string> = new Set(
  "Basic Binary Bundle Composition DocumentManifest DocumentReference GuidanceResponse Linkage List Media MessageHeader Parameters QuestionnaireResponse ResearchSubject".split(
    " ",
  ),
);

/** Types in which a `settles` row may replace the class of the type. */
export const SETTLED_BY_CODE: ReadonlySet<string> = new Set([
  "Observation",
  "DiagnosticReport",
  "ServiceRequest",
  "Composition",
  "DocumentReference",
  "Media",
]);

/** Codings of one system that give a class. */
export interface CodeRow {
  readonly why: string;
  /** Code system: a URI, or what its URI contains. */
  readonly system: RegExp;
  readonly code: RegExp;
  readonly recordClass: RecordClass;
  /** `raises`: wherever in the instance the code stands, and only to a more closed class. `settles`: replaces the class of the type. */
  readonly effect: "raises" | "settles";
}

/** URIs of the public code systems, as they are written. */
export const ICD10 = /icd-10|^urn:oid:2\.16\.840\.1\.113883\.6\.(3|90)$|^urn:oid:2\.16\.156\.10011\.2\.3\.3\.11/i;
export const LOINC = /^http:\/\/loinc\.org$|^urn:oid:2\.16\.840\.1\.113883\.6\.1$/;
export const SNOMED = /^http:\/\/snomed\.info\/sct/;
export const ATC = /^http:\/\/www\.whocc\.no\/atc$|^urn:oid:2\.16\.840\.1\.113883\.6\.73$/;
const ANY = /^/;
const oneOf = (codes: string): RegExp => new RegExp(`^(${codes.trim().split(/\s+/).join("|")})$`);
const raise = (why: string, system: RegExp, code: RegExp, recordClass: RecordClass = CORE_PROTECTED): CodeRow => ({
  why,
  system,
  code,
  recordClass,
  effect: "raises",
});
const settle = (why: string, system: RegExp, code: RegExp, recordClass: RecordClass): CodeRow => ({
  why,
  system,
  code,
  recordClass,
  effect: "settles",
});

/** Read from the top: the first `settles` row that matches wins, and then every `raises` row that matches. */
export const CODE_ROWS: readonly CodeRow[] = [
  // Said by the source itself, in meta.security.
  raise("confidentiality restricted or very restricted", /v3-Confidentiality$/, oneOf("R V")),
  raise(
    "sensitivity policy",
    /v3-ActCode$/,
    oneOf("HIV ETH ETHUD OPIOIDUD SUD BH MH PSY PSYTHPN COGN DVD EMOTDIS SEX SDV STD SPI TBOO VIO MST SCA SICKLE"),
  ),
  raise("genetic disease policy", /v3-ActCode$/, oneOf("GDIS"), CORE_GENOME),

  // HIV.
  raise("HIV disease and exposure", ICD10, /^(B2[0-4]|Z21|R75|F02\.4|O98\.7|Z20\.6|Z11\.4)/),
  raise("HIV disease", SNOMED, oneOf("86406008 62479008 91947003 91948008 165816005 111880001 186706006 402901009 444356002")),
  raise(
    "HIV tests",
    LOINC,
    oneOf(
      "7917-8 7918-6 5221-7 5222-5 29893-5 31201-7 31072-2 43010-8 56888-1 75622-1 20447-9 25836-8 10351-5 70241-5 48345-3 89365-1 68961-2 80387-4 30361-0",
    ),
  ),
  raise("HIV medicines", ATC, /^J05A(R|E|J)/),
  // Mental health and dependence.
  raise("mental and behavioural disorders", ICD10, /^F\d\d|^X[67]\d|^X8[0-4]|^Z91\.5/),
  raise(
    "mental disorders",
    SNOMED,
    oneOf("74732009 35489007 370143000 58214004 13746004 197480006 66214007 7200002 191816009 48694002 47505003 44376007"),
  ),
  raise("mental health questionnaires", LOINC, oneOf("44249-1 44261-6 55757-9 69737-5 70274-6 69725-0 71354-5 89204-2 75626-2")),
  raise("psychotropic medicines", ATC, /^(N05A|N06A|N07BB|N07BC)/),
  // Reproduction and sexuality.
  raise(
    "abortion, infertility, contraception, sexually transmitted",
    ICD10,
    /^(O0[0-8]|N97|N46|Z30|Z31|Z33|Z64\.0|A5\d|A6[0-4]|F64|F52)/,
  ),
  raise(
    "pregnancy outcome, fertility",
    SNOMED,
    oneOf("386639001 70317007 17369002 8619003 15296000 57797005 169553002 76498008"),
  ),
  raise(
    "pregnancy, menstruation, gender identity",
    LOINC,
    oneOf("8665-2 11636-8 11637-6 82810-3 2106-3 2110-5 76691-5 76690-7 86645-9"),
  ),
  // Rare diseases.
  raise("rare diseases", /orpha\.net|^urn:oid:1\.3\.6\.1\.4\.1\.12559\.11\.28/i, ANY),

  // Genome.
  raise(
    "genetic findings",
    LOINC,
    oneOf(
      "55233-1 51969-4 53034-5 53037-8 48004-6 48005-3 48006-1 48018-6 48002-0 48003-8 51958-7 59041-4 69548-6 69547-8 81247-9 81248-7 81290-9 79716-7 84413-4 62374-4 41103-3 36908-2 86206-0",
    ),
    CORE_GENOME,
  ),
  raise("genotype, haplotype, genetic analysis", SNOMED, oneOf("363779003 405824009 405825005 69237005 118298003"), CORE_GENOME),
  raise(
    "gene, variant and sequence names",
    /genenames\.org|pharmakb\.org|pharmgkb\.org|varnomen\.hgvs\.org|ncbi\.nlm\.nih\.gov\/(clinvar|nuccore|refseq)/i,
    ANY,
    CORE_GENOME,
  ),
  raise("genetics section", /v2-0074$|diagnostic-service-sections$/, oneOf("GE CG"), CORE_GENOME),

  // What an Observation or a report is about.
  settle("vital signs", /observation-category$/, oneOf("vital-signs"), SENSITIVE_VITALS),
  settle("imaging", /observation-category$/, oneOf("imaging"), SENSITIVE_IMAGING),
  settle("procedure, therapy", /observation-category$/, oneOf("procedure therapy"), SENSITIVE_PROCEDURES),
  settle("laboratory", /observation-category$/, oneOf("laboratory"), SENSITIVE_LABORATORY),
  settle(
    "examination, survey, social history, activity",
    /observation-category$/,
    oneOf("exam survey social-history activity"),
    SENSITIVE_DIAGNOSES,
  ),
  settle(
    "imaging sections",
    /v2-0074$|diagnostic-service-sections$/,
    oneOf("RAD CT NMR NMS IMG OUS RUS RX VUS XRC CUS CTH"),
    SENSITIVE_IMAGING,
  ),
  settle("measuring sections", /v2-0074$|diagnostic-service-sections$/, oneOf("EC EN PF ICU AU RC"), SENSITIVE_VITALS),
  settle(
    "laboratory sections",
    /v2-0074$|diagnostic-service-sections$/,
    oneOf("BG BLB CH CP HM IMM LAB MB MCB MYC OSL PAR PAT SP SR TX URN VR"),
    SENSITIVE_LABORATORY,
  ),
  settle("imaging", SNOMED, oneOf("394914008 363679005 429858000 45036003 77477000 113091000 16310003"), SENSITIVE_IMAGING),
  settle(
    "radiology and bone density reports",
    LOINC,
    oneOf("18748-4 18755-9 38269-7 24701-5 24725-4 24627-2 30746-2"),
    SENSITIVE_IMAGING,
  ),
  settle(
    "vital signs and measurements",
    LOINC,
    oneOf(
      "8867-4 8480-6 8462-4 8478-0 85354-9 85353-1 9279-1 8310-5 29463-7 3141-9 8302-2 8306-3 39156-5 2708-6 59408-5 9843-4 8287-5 11524-6 34534-8 20564-1",
    ),
    SENSITIVE_VITALS,
  ),
  settle("device measurements", /^urn:iso:std:iso:11073:10101$/, ANY, SENSITIVE_VITALS),
  settle(
    "scores and examination",
    LOINC,
    oneOf("9269-2 9267-6 9268-4 9270-0 9271-8 9272-6 9273-4 9274-2 39243-1 45708-5"),
    SENSITIVE_DIAGNOSES,
  ),
  settle(
    "summaries, notes and letters",
    LOINC,
    oneOf("18842-5 11506-3 34133-9 11488-4 34117-2 28570-0 57133-1 11490-0 51855-5 60591-5"),
    SENSITIVE_ENCOUNTERS,
  ),
  settle("laboratory reports", LOINC, oneOf("11502-2 58410-2 24331-1 24323-8 57021-8"), SENSITIVE_LABORATORY),
];

/** Profiles and extensions whose URL says that the instance is about the genome. */
export const GENOME_URL =
  /^http:\/\/hl7\.org\/fhir\/(us|uv)\/genomics-reporting\/|^http:\/\/hl7\.org\/fhir\/StructureDefinition\/(observation-genetics|observation-genetics[A-Z]|DiagnosticReport-genetics|hlaresult|family-?member-?history-genetic|observation-genetic)/i;

/** DICOM modalities; any other, image or not, is imaging. */
export const CLASS_BY_MODALITY: ReadonlyMap<string, RecordClass> = new Map([
  ["ECG", SENSITIVE_VITALS],
  ["HD", SENSITIVE_VITALS],
  ["EPS", SENSITIVE_VITALS],
  ["EEG", SENSITIVE_VITALS],
  ["EMG", SENSITIVE_VITALS],
  ["EOG", SENSITIVE_VITALS],
  ["RESP", SENSITIVE_VITALS],
  ["POS", SENSITIVE_VITALS],
  ["SM", SENSITIVE_LABORATORY],
  ["RTPLAN", SENSITIVE_PROCEDURES],
  ["RTRECORD", SENSITIVE_PROCEDURES],
  ["RTDOSE", SENSITIVE_PROCEDURES],
  ["RTSTRUCT", SENSITIVE_PROCEDURES],
  ["PLAN", SENSITIVE_PROCEDURES],
  ["DOC", UNKNOWN_CONTENT], // an encapsulated PDF or CDA holds anything
  ["AU", UNKNOWN_CONTENT],
]);
export const CLASS_OF_OTHER_MODALITIES: RecordClass = SENSITIVE_IMAGING;
