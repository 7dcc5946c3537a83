/**
 * The Basic Application Level Confidentiality Profile as data: DICOM PS3.15 2024b, Annex E, Table E.1-1, with the attributes that later supplements added.
 * One entry is "tag action[:options] keyword". Actions: D dummy value, Z empty or dummy, X remove, K keep, C clean, U other UID; X/Z and the like: the
 * strictest that the object's type allows. Options in which an attribute may stay: t changed dates (column Rtn. Long. Modif. Dates, C), d clean descriptors,
 * s clean structured content, g clean graphics, p patient characteristics kept, q cleaned, u UIDs, v device, i institution.
 */
const table = `
0000,1000 X:u AffectedSOPInstanceUID; 0000,1001 U:u RequestedSOPInstanceUID; 0002,0003 U:u MediaStorageSOPInstanceUID
0004,1511 U:u ReferencedSOPInstanceUIDInFile; 0008,0012 X:t InstanceCreationDate; 0008,0013 X:t InstanceCreationTime; 0008,0014 U:u InstanceCreatorUID
0008,0015 X:t InstanceCoercionDateTime; 0008,0018 U:u SOPInstanceUID; 0008,0020 Z:t StudyDate; 0008,0021 X/D:t SeriesDate; 0008,0022 X/Z:t AcquisitionDate
0008,0023 Z/D:t ContentDate; 0008,0024 X:t RETIREDOverlayDate; 0008,0025 X:t RETIREDCurveDate; 0008,002a X/Z/D:t AcquisitionDateTime; 0008,0030 Z:t StudyTime
0008,0031 X/D:t SeriesTime; 0008,0032 X/Z:t AcquisitionTime; 0008,0033 Z/D:t ContentTime; 0008,0034 X:t RETIREDOverlayTime; 0008,0035 X:t RETIREDCurveTime
0008,0050 Z AccessionNumber; 0008,0051 X IssuerOfAccessionNumberSequence; 0008,0058 U:u FailedSOPInstanceUIDList; 0008,0080 X/Z/D:i InstitutionName
0008,0081 X:i InstitutionAddress; 0008,0082 X/Z/D:i InstitutionCodeSequence; 0008,0090 Z ReferringPhysicianName; 0008,0092 X ReferringPhysicianAddress
0008,0094 X ReferringPhysicianTelephoneNumbers; 0008,0096 X ReferringPhysicianIdentificationSequence; 0008,009c Z ConsultingPhysicianName
0008,009d X ConsultingPhysicianIdentificationSequence; 0008,010d U:u ContextGroupExtensionCreatorUID; 0008,0118 X MappingResourceUID
0008,0201 X:t TimezoneOffsetFromUTC; 0008,1010 X/Z/D:v StationName; 0008,1030 X:d StudyDescription; 0008,103e X:d SeriesDescription
0008,1040 X:i InstitutionalDepartmentName; 0008,1041 X:i InstitutionalDepartmentTypeCodeSequence; 0008,1048 X PhysiciansOfRecord
0008,1049 X PhysiciansOfRecordIdentificationSequence; 0008,1050 X PerformingPhysicianName; 0008,1052 X PerformingPhysicianIdentificationSequence
0008,1060 X NameOfPhysiciansReadingStudy; 0008,1062 X PhysiciansReadingStudyIdentificationSequence; 0008,1070 X/Z/D OperatorsName
0008,1072 X/D OperatorIdentificationSequence; 0008,1080 X:d AdmittingDiagnosesDescription; 0008,1084 X:d AdmittingDiagnosesCodeSequence
0008,1110 X/Z:u ReferencedStudySequence; 0008,1111 X/Z/D:u ReferencedPerformedProcedureStepSequence; 0008,1120 X ReferencedPatientSequence
0008,1140 X/Z/U:u ReferencedImageSequence; 0008,1155 U:u ReferencedSOPInstanceUID; 0008,1195 U:u TransactionUID; 0008,2111 X:d DerivationDescription
0008,2112 X/Z/U:u SourceImageSequence; 0008,3010 U:u IrradiationEventUID; 0008,4000 X:d RETIREDIdentifyingComments; 0010,0010 Z PatientName
0010,0011 X PersonNamesToUseSequence; 0010,0012 X NameToUse; 0010,0014 X ThirdPersonPronounsSequence; 0010,0020 Z PatientID; 0010,0021 X IssuerOfPatientID
0010,0022 X TypeOfPatientID; 0010,0024 X IssuerOfPatientIDQualifiersSequence; 0010,0026 X SourcePatientGroupIdentificationSequence
0010,0027 X GroupOfPatientsIdentificationSequence; 0010,0028 X SubjectRelativePositionInImage; 0010,0030 Z PatientBirthDate; 0010,0032 X PatientBirthTime
0010,0040 Z:p PatientSex; 0010,0041 X GenderIdentitySequence; 0010,0043 X SexParametersForClinicalUseCategorySequence; 0010,0044 X GenderIdentityCodeSequence
0010,0046 X SexParametersForClinicalUseCategoryComment; 0010,0050 X PatientInsurancePlanCodeSequence; 0010,0101 X PatientPrimaryLanguageCodeSequence
0010,0102 X PatientPrimaryLanguageModifierCodeSequence; 0010,1000 X OtherPatientIDs; 0010,1001 X OtherPatientNames; 0010,1002 X OtherPatientIDsSequence
0010,1005 X PatientBirthName; 0010,1010 X:p PatientAge; 0010,1020 X:p PatientSize; 0010,1030 X:p PatientWeight; 0010,1040 X PatientAddress
0010,1050 X RETIREDInsurancePlanIdentification; 0010,1060 X PatientMotherBirthName; 0010,1080 X MilitaryRank; 0010,1081 X BranchOfService
0010,1090 X MedicalRecordLocator; 0010,1100 X ReferencedPatientPhotoSequence; 0010,2000 X:d MedicalAlerts; 0010,2110 X:qd Allergies
0010,2150 X CountryOfResidence; 0010,2152 X RegionOfResidence; 0010,2154 X PatientTelephoneNumbers; 0010,2155 X PatientTelecomInformation
0010,2160 X:p EthnicGroup; 0010,2180 X:d Occupation; 0010,21a0 X:p SmokingStatus; 0010,21b0 X:d AdditionalPatientHistory; 0010,21c0 X:p PregnancyStatus
0010,21d0 X:t LastMenstrualDate; 0010,21f0 X PatientReligiousPreference; 0010,2203 X/Z:p PatientSexNeutered; 0010,2296 X BreedRegistryCodeSequence
0010,2297 X ResponsiblePerson; 0010,2298 X ResponsiblePersonRole; 0010,2299 X ResponsibleOrganization; 0010,4000 X:d PatientComments
0012,0010 D ClinicalTrialSponsorName; 0012,0020 D ClinicalTrialProtocolID; 0012,0021 Z ClinicalTrialProtocolName; 0012,0030 Z:i ClinicalTrialSiteID
0012,0031 Z:i ClinicalTrialSiteName; 0012,0040 D ClinicalTrialSubjectID; 0012,0042 D ClinicalTrialSubjectReadingID; 0012,0050 Z ClinicalTrialTimePointID
0012,0051 X:d ClinicalTrialTimePointDescription; 0012,0060 Z:i ClinicalTrialCoordinatingCenterName; 0012,0071 X ClinicalTrialSeriesID
0012,0072 X:d ClinicalTrialSeriesDescription; 0012,0081 D:i ClinicalTrialProtocolEthicsCommitteeName
0012,0082 X ClinicalTrialProtocolEthicsCommitteeApprovalNumber; 0016,002b X:d MakerNote; 0016,004b X:d DeviceSettingDescription; 0016,004d X CameraOwnerName
0016,004e X:v LensSpecification; 0016,004f X:v LensMake; 0016,0050 X:v LensModel; 0016,0051 X:v LensSerialNumber; 0016,0070 X GPSVersionID
0016,0071 X GPSLatitudeRef; 0016,0072 X GPSLatitude; 0016,0073 X GPSLongitudeRef; 0016,0074 X GPSLongitude; 0016,0075 X GPSAltitudeRef
0016,0076 X GPSAltitude; 0016,0077 X GPSTimeStamp; 0016,0078 X GPSSatellites; 0016,0079 X GPSStatus; 0016,007a X GPSMeasureMode; 0016,007b X GPSDOP
0016,007c X GPSSpeedRef; 0016,007d X GPSSpeed; 0016,007e X GPSTrackRef; 0016,007f X GPSTrack; 0016,0080 X GPSImgDirectionRef; 0016,0081 X GPSImgDirection
0016,0082 X GPSMapDatum; 0016,0083 X GPSDestLatitudeRef; 0016,0084 X GPSDestLatitude; 0016,0085 X GPSDestLongitudeRef; 0016,0086 X GPSDestLongitude
0016,0087 X GPSDestBearingRef; 0016,0088 X GPSDestBearing; 0016,0089 X GPSDestDistanceRef; 0016,008a X GPSDestDistance; 0016,008b X GPSProcessingMethod
0016,008c X GPSAreaInformation; 0016,008d X:t GPSDateStamp; 0016,008e X GPSDifferential; 0018,0010 Z/D:d ContrastBolusAgent
0018,1000 X/Z/D:v DeviceSerialNumber; 0018,1002 U:uv DeviceUID; 0018,1004 X:v PlateID; 0018,1005 X:v GeneratorID; 0018,1007 X:v CassetteID
0018,1008 X:v GantryID; 0018,1009 X:v UniqueDeviceIdentifier; 0018,100a X:v UDISequence; 0018,100b U:uv ManufacturerDeviceClassUID
0018,1030 X/D:d ProtocolName; 0018,1078 D:t RadiopharmaceuticalStartDateTime; 0018,1079 D:t RadiopharmaceuticalStopDateTime
0018,11bb D:d AcquisitionFieldOfViewLabel; 0018,1200 X:t DateOfLastCalibration; 0018,1201 X:t TimeOfLastCalibration
0018,1400 X/D:d AcquisitionDeviceProcessingDescription; 0018,2042 U:u TargetUID; 0018,4000 X:d RETIREDAcquisitionComments
0018,5011 X:v TransducerIdentificationSequence; 0018,700a X/D:v DetectorID; 0018,9074 X/D:t FrameAcquisitionDateTime; 0018,9151 X/D:t FrameReferenceDateTime
0018,9185 X:d RespiratoryMotionCompensationTechniqueDescription; 0018,9367 D:v XRaySourceID; 0018,9369 D:t SourceStartDateTime
0018,936a D:t SourceEndDateTime; 0018,9371 D:v XRayDetectorID; 0018,9373 X:v XRayDetectorLabel; 0018,937b X:d MultienergyAcquisitionDescription
0018,937f X:d DecompositionDescription; 0018,9424 X:d AcquisitionProtocolDescription; 0018,9516 X/D:t StartAcquisitionDateTime
0018,9517 X/D:t EndAcquisitionDateTime; 0018,9937 X:d RequestedSeriesDescription; 0018,a002 X:t ContributionDateTime; 0018,a003 X:d ContributionDescription
0020,000d U:u StudyInstanceUID; 0020,000e U:u SeriesInstanceUID; 0020,0010 Z StudyID; 0020,0052 U:u FrameOfReferenceUID
0020,0200 U:u SynchronizationFrameOfReferenceUID; 0020,3401 X RETIREDModifyingDeviceID; 0020,3406 X RETIREDModifiedImageDescription
0020,4000 X:d ImageComments; 0020,9158 X:d FrameComments; 0020,9161 U:u ConcatenationUID; 0020,9164 U:u DimensionOrganizationUID
0028,1199 U:u PaletteColorLookupTableUID; 0028,1214 U:u RETIREDLargePaletteColorLookupTableUID; 0028,4000 X RETIREDImagePresentationComments
0032,0012 X RETIREDStudyIDIssuer; 0032,1000 X:t RETIREDScheduledStudyStartDate; 0032,1001 X:t RETIREDScheduledStudyStartTime
0032,1010 X:t RETIREDScheduledStudyStopDate; 0032,1020 X:v RETIREDScheduledStudyLocation; 0032,1021 X:v RETIREDScheduledStudyLocationAETitle
0032,1030 X:d RETIREDReasonForStudy; 0032,1031 X RequestingPhysicianIdentificationSequence; 0032,1032 X RequestingPhysician; 0032,1033 X RequestingService
0032,1040 X:t RETIREDStudyArrivalDate; 0032,1041 X:t RETIREDStudyArrivalTime; 0032,1050 X:t RETIREDStudyCompletionDate
0032,1051 X:t RETIREDStudyCompletionTime; 0032,1060 X/Z:d RequestedProcedureDescription; 0032,1066 X:d ReasonForVisit
0032,1067 X:d ReasonForVisitCodeSequence; 0032,1070 X:d RequestedContrastAgent; 0032,4000 X:d RETIREDStudyComments; 0034,0001 D FlowIdentifierSequence
0034,0002 D FlowIdentifier; 0034,0005 D SourceIdentifier; 0034,0007 D:t FrameOriginTimestamp; 0038,0004 X ReferencedPatientAliasSequence
0038,0008 X VisitStatusID; 0038,0010 X AdmissionID; 0038,0011 X RETIREDIssuerOfAdmissionID; 0038,0014 X IssuerOfAdmissionIDSequence
0038,001a X:t RETIREDScheduledAdmissionDate; 0038,001b X:t RETIREDScheduledAdmissionTime; 0038,001c X:t RETIREDScheduledDischargeDate
0038,001d X:t RETIREDScheduledDischargeTime; 0038,001e X RETIREDScheduledPatientInstitutionResidence; 0038,0020 X:t AdmittingDate; 0038,0021 X:t AdmittingTime
0038,0030 X:t RETIREDDischargeDate; 0038,0032 X:t RETIREDDischargeTime; 0038,0040 X:d RETIREDDischargeDiagnosisDescription; 0038,0050 X:q SpecialNeeds
0038,0060 X ServiceEpisodeID; 0038,0061 X RETIREDIssuerOfServiceEpisodeID; 0038,0062 X:d ServiceEpisodeDescription
0038,0064 X IssuerOfServiceEpisodeIDSequence; 0038,0100 X PertinentDocumentsSequence; 0038,0300 X CurrentPatientLocation
0038,0400 X PatientInstitutionResidence; 0038,0500 X:qd PatientState; 0038,4000 X:d VisitComments; 003a,0310 U:u MultiplexGroupUID
003a,0314 D:t ImpedanceMeasurementDateTime; 0040,0001 X:v ScheduledStationAETitle; 0040,0002 X:t ScheduledProcedureStepStartDate
0040,0003 X:t ScheduledProcedureStepStartTime; 0040,0004 X:t ScheduledProcedureStepEndDate; 0040,0005 X:t ScheduledProcedureStepEndTime
0040,0006 X ScheduledPerformingPhysicianName; 0040,0007 X:d ScheduledProcedureStepDescription; 0040,0009 X ScheduledProcedureStepID
0040,000b X ScheduledPerformingPhysicianIdentificationSequence; 0040,0010 X:v ScheduledStationName; 0040,0011 X:v ScheduledProcedureStepLocation
0040,0012 X:q PreMedication; 0040,0241 X:v PerformedStationAETitle; 0040,0242 X:v PerformedStationName; 0040,0243 X PerformedLocation
0040,0244 X:t PerformedProcedureStepStartDate; 0040,0245 X:t PerformedProcedureStepStartTime; 0040,0250 X:t PerformedProcedureStepEndDate
0040,0251 X:t PerformedProcedureStepEndTime; 0040,0253 X PerformedProcedureStepID; 0040,0254 X:d PerformedProcedureStepDescription
0040,0275 X:d RequestAttributesSequence; 0040,0280 X:d CommentsOnThePerformedProcedureStep; 0040,0310 X:d CommentsOnRadiationDose
0040,050a X RETIREDSpecimenAccessionNumber; 0040,0512 D ContainerIdentifier; 0040,0513 Z IssuerOfTheContainerIdentifierSequence
0040,051a X:d ContainerDescription; 0040,0551 D SpecimenIdentifier; 0040,0554 U:u SpecimenUID; 0040,0555 X/Z:s AcquisitionContextSequence
0040,0562 Z IssuerOfTheSpecimenIdentifierSequence; 0040,0600 X:d SpecimenShortDescription; 0040,0602 X:d SpecimenDetailedDescription
0040,0610 Z:s SpecimenPreparationSequence; 0040,06fa X RETIREDSlideIdentifier; 0040,1001 X RequestedProcedureID; 0040,1002 X:d ReasonForTheRequestedProcedure
0040,1004 X PatientTransportArrangements; 0040,1005 X RequestedProcedureLocation; 0040,100a X:d ReasonForRequestedProcedureCodeSequence
0040,1010 X NamesOfIntendedRecipientsOfResults; 0040,1011 X IntendedRecipientsOfResultsIdentificationSequence
0040,1012 X ReasonForPerformedProcedureCodeSequence; 0040,1101 D PersonIdentificationCodeSequence; 0040,1102 X PersonAddress
0040,1103 X PersonTelephoneNumbers; 0040,1104 X PersonTelecomInformation; 0040,1400 X:d RequestedProcedureComments
0040,2001 X:d RETIREDReasonForTheImagingServiceRequest; 0040,2004 X:t IssueDateOfImagingServiceRequest; 0040,2005 X:t IssueTimeOfImagingServiceRequest
0040,2006 X RETIREDPlacerOrderNumberImagingServiceRequestRetired; 0040,2008 X OrderEnteredBy; 0040,2009 X OrderEntererLocation
0040,2010 X OrderCallbackPhoneNumber; 0040,2011 X OrderCallbackTelecomInformation; 0040,2016 Z PlacerOrderNumberImagingServiceRequest
0040,2017 Z FillerOrderNumberImagingServiceRequest; 0040,2400 X:d ImagingServiceRequestComments; 0040,4005 X:t ScheduledProcedureStepStartDateTime
0040,4008 X:t ScheduledProcedureStepExpirationDateTime; 0040,4010 X:t ScheduledProcedureStepModificationDateTime; 0040,4011 X:t ExpectedCompletionDateTime
0040,4023 U:u RETIREDReferencedGeneralPurposeScheduledProcedureStepTransactionUID; 0040,4025 X:v ScheduledStationNameCodeSequence
0040,4027 X:v ScheduledStationGeographicLocationCodeSequence; 0040,4028 X:v PerformedStationNameCodeSequence
0040,4030 X:v PerformedStationGeographicLocationCodeSequence; 0040,4034 X ScheduledHumanPerformersSequence; 0040,4035 X ActualHumanPerformersSequence
0040,4036 X HumanPerformerOrganization; 0040,4037 X HumanPerformerName; 0040,4050 X:t PerformedProcedureStepStartDateTime
0040,4051 X:t PerformedProcedureStepEndDateTime; 0040,4052 X:t ProcedureStepCancellationDateTime; 0040,a027 D VerifyingOrganization
0040,a030 X/D:t VerificationDateTime; 0040,a032 X/D:t ObservationDateTime; 0040,a073 D VerifyingObserverSequence; 0040,a075 D VerifyingObserverName
0040,a078 X AuthorObserverSequence; 0040,a07a X ParticipantSequence; 0040,a07c X CustodialOrganizationSequence
0040,a088 Z VerifyingObserverIdentificationCodeSequence; 0040,a120 X/D:t DateTime; 0040,a121 X/D:t Date; 0040,a122 X/D:t Time; 0040,a123 D PersonName
0040,a124 U UID; 0040,a13a X/D:t ReferencedDateTime; 0040,a171 U:u ObservationUID; 0040,a172 U:u RETIREDReferencedObservationUIDTrial
0040,a192 X:t RETIREDObservationDateTrial; 0040,a193 X:t RETIREDObservationTimeTrial; 0040,a307 X RETIREDCurrentObserverTrial
0040,a352 X RETIREDVerbalSourceTrial; 0040,a353 X RETIREDAddressTrial; 0040,a354 X RETIREDTelephoneNumberTrial
0040,a358 X RETIREDVerbalSourceIdentifierCodeSequenceTrial; 0040,a402 U:u RETIREDObservationSubjectUIDTrial; 0040,a730 D:s ContentSequence
0040,db0c U:u RETIREDTemplateExtensionOrganizationUID; 0040,db0d U:u RETIREDTemplateExtensionCreatorUID; 0050,001b X ContainerComponentID
0050,0020 X:v DeviceDescription; 0050,0021 X:d LongDeviceDescription; 0062,0021 U:u TrackingUID; 0070,0001 D:g GraphicAnnotationSequence
0070,0082 D:t PresentationCreationDate; 0070,0083 D:t PresentationCreationTime; 0070,0084 Z/D ContentCreatorName
0070,0086 X ContentCreatorIdentificationCodeSequence; 0070,031a U:u FiducialUID; 0070,1101 U:u PresentationDisplayCollectionUID
0070,1102 U:u PresentationSequenceCollectionUID; 0088,0140 U:u StorageMediaFileSetUID; 0088,0200 X IconImageSequence; 0088,0904 X RETIREDTopicTitle
0088,0906 X RETIREDTopicSubject; 0088,0910 X RETIREDTopicAuthor; 0088,0912 X RETIREDTopicKeywords; 0400,0100 U DigitalSignatureUID
0400,0105 D:t DigitalSignatureDateTime; 0400,0402 X ReferencedDigitalSignatureSequence; 0400,0403 X ReferencedSOPInstanceMACSequence; 0400,0404 X MAC
0400,0550 X ModifiedAttributesSequence; 0400,0551 X NonconformingModifiedAttributesSequence; 0400,0552 X NonconformingDataElementValue
0400,0561 X OriginalAttributesSequence; 0400,0600 X InstanceOriginStatus; 2030,0020 X TextString; 2200,0002 X/Z:d LabelText; 2200,0005 X/Z BarcodeValue
3006,0002 D:d StructureSetLabel; 3006,0004 X:d StructureSetName; 3006,0006 X:d StructureSetDescription; 3006,0008 Z:t StructureSetDate
3006,0009 X/D:t StructureSetTime; 3006,0024 U:u ReferencedFrameOfReferenceUID; 3006,0026 Z:d ROIName; 3006,0028 X:d ROIDescription
3006,0038 X:d ROIGenerationDescription; 3006,0085 X:d ROIObservationLabel; 3006,0088 X:d ROIObservationDescription; 3006,00a6 Z ROIInterpreter
3006,00c2 U:u RETIREDRelatedFrameOfReferenceUID; 3008,0054 X/D:t FirstTreatmentDate; 3008,0056 X/D:t MostRecentTreatmentDate
3008,0105 X/Z:v SourceSerialNumber; 3008,0250 X/D:t TreatmentDate; 3008,0251 X/D:t TreatmentTime; 300a,0002 D:d RTPlanLabel; 300a,0003 X:d RTPlanName
300a,0004 X:d RTPlanDescription; 300a,0006 X/D:t RTPlanDate; 300a,0007 X/D:t RTPlanTime; 300a,000e X:d PrescriptionDescription; 300a,0013 U:u DoseReferenceUID
300a,0016 X:d DoseReferenceDescription; 300a,0072 X:d FractionGroupDescription; 300a,0083 U:u ReferencedDoseReferenceUID; 300a,00b2 X:v TreatmentMachineName
300a,00c3 X:d BeamDescription; 300a,00dd X:d BolusDescription; 300a,0196 X:d FixationDeviceDescription; 300a,01a6 X:d ShieldingDeviceDescription
300a,01b2 X:d SetupTechniqueDescription; 300a,0216 X:v SourceManufacturer; 300a,02eb X:d CompensatorDescription; 300a,0608 D:d TreatmentPositionGroupLabel
300a,0609 U:u TreatmentPositionGroupUID; 300a,0611 Z RTAccessoryHolderSlotID; 300a,0615 Z RTAccessoryDeviceSlotID
300a,0619 D:d RadiationDoseIdentificationLabel; 300a,0623 D:d RadiationDoseInVivoMeasurementLabel; 300a,062a D:d RTToleranceSetLabel
300a,0650 U:u PatientSetupUID; 300a,0676 X:d EquipmentFrameOfReferenceDescription; 300a,067c D:d RadiationGenerationModeLabel
300a,067d Z:d RadiationGenerationModeDescription; 300a,0700 U:u TreatmentSessionUID; 300a,0734 D:d TreatmentToleranceViolationDescription
300a,0736 D:t TreatmentToleranceViolationDateTime; 300a,073a D:t RecordedRTControlPointDateTime; 300a,0741 D:t InterlockDateTime
300a,0742 D:d InterlockDescription; 300a,0760 D:t OverrideDateTime; 300a,0783 D:d InterlockOriginDescription; 300c,0113 X:d ReasonForOmissionDescription
300e,0008 X/Z ReviewerName; 3010,0006 U:u ConceptualVolumeUID; 3010,000b U:u ReferencedConceptualVolumeUID
3010,000f Z:d ConceptualVolumeCombinationDescription; 3010,0013 U:u ConstituentConceptualVolumeUID; 3010,0015 U:u SourceConceptualVolumeUID
3010,0017 Z:d ConceptualVolumeDescription; 3010,001b Z DeviceAlternateIdentifier; 3010,002d D:v DeviceLabel; 3010,0031 U:u ReferencedFiducialsUID
3010,0033 D:d UserContentLabel; 3010,0034 D:d UserContentLongLabel; 3010,0035 D:d EntityLabel; 3010,0036 X:d EntityName; 3010,0037 X:d EntityDescription
3010,0038 D:d EntityLongLabel; 3010,003b U:u RTTreatmentPhaseUID; 3010,0043 Z:v ManufacturerDeviceIdentifier; 3010,004c X/D:t IntendedPhaseStartDate
3010,004d X/D:t IntendedPhaseEndDate; 3010,0054 D:d RTPrescriptionLabel; 3010,0056 X/D:d RTTreatmentApproachLabel; 3010,005a Z:d RTPhysicianIntentNarrative
3010,005c Z:d ReasonForSuperseding; 3010,0061 X:d PriorTreatmentDoseDescription; 3010,006e U:u DosimetricObjectiveUID
3010,006f U:u ReferencedDosimetricObjectiveUID; 3010,0077 D:d TreatmentSite; 3010,007a Z:d TreatmentTechniqueNotes; 3010,007b Z:d PrescriptionNotes
3010,007f Z:d FractionationNotes; 3010,0081 Z:d PrescriptionNotesSequence; 4000,0010 X RETIREDArbitrary; 4000,4000 X RETIREDTextComments
4008,0042 X RETIREDResultsIDIssuer; 4008,0100 X:t RETIREDInterpretationRecordedDate; 4008,0101 X:t RETIREDInterpretationRecordedTime
4008,0102 X RETIREDInterpretationRecorder; 4008,0108 X:t RETIREDInterpretationTranscriptionDate; 4008,0109 X:t RETIREDInterpretationTranscriptionTime
4008,010a X RETIREDInterpretationTranscriber; 4008,010b X:d RETIREDInterpretationText; 4008,010c X RETIREDInterpretationAuthor
4008,0111 X RETIREDInterpretationApproverSequence; 4008,0112 X:t RETIREDInterpretationApprovalDate; 4008,0113 X:t RETIREDInterpretationApprovalTime
4008,0114 X RETIREDPhysicianApprovingInterpretation; 4008,0115 X:d RETIREDInterpretationDiagnosisDescription
4008,0118 X RETIREDResultsDistributionListSequence; 4008,0119 X RETIREDDistributionName; 4008,011a X RETIREDDistributionAddress
4008,0202 X RETIREDInterpretationIDIssuer; 4008,0300 X:d RETIREDImpressions; 4008,4000 X:d RETIREDResultsComments; fffa,fffa X DigitalSignaturesSequence
fffc,fffc X DataSetTrailingPadding
`

/** Letters of the options, see above. */
export type ProfileOption = 't' | 'd' | 's' | 'g' | 'p' | 'q' | 'u' | 'v' | 'i'

/** One attribute of the profile; `action` as the table writes it. */
export interface ProfileAttribute { tag: string; action: string; options: readonly ProfileOption[]; keyword: string }

/** The listed attributes by tag (gggg,eeee in lower-case hex). Repeating groups and private attributes are not among them; see judgeAttribute. */
export const profileAttributes: ReadonlyMap<string, ProfileAttribute> = new Map(table.trim().split(/;\s|\n/).map((entry) => {
  const [tag, rule, keyword] = entry.split(' ') as [string, string, string]
  const [action, options = ''] = rule.split(':') as [string, string?]
  return [tag, { tag, action, options: [...options] as ProfileOption[], keyword }]
}))
