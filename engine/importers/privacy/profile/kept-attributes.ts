/**
 * The only attributes of a DICOM header that anything here may read for keeping, and what becomes of each. All others are denied, whether the profile
 * lists them or not (PS3.15 E.1.1 asks for it only of the listed ones): a scanner's own element or one of a later edition cannot slip through.
 */
import type { DicomDataSet } from '../../dicom/data-set.ts'
import type { Fate } from './judge-attribute.ts'

interface KeptAttribute { name: string; fate: Exclude<Fate, 'removed'> }

const kept: Record<Exclude<Fate, 'removed'>, string> = {
  // Keyed hashes: the same value gives the same code in this project and nowhere else.
  pseudonym: '0010,0020 PatientID; 0020,000d StudyInstanceUID; 0008,0050 AccessionNumber',
  // Moved by the patient's own number of days. PS3.15 option Retain Longitudinal Temporal Information with Modified Dates.
  shifted: '0008,0020 StudyDate; 0008,0022 AcquisitionDate',
  // PS3.15 option Retain Patient Characteristics: years, over 89 as 90; female, male, other.
  generalised: '0010,1010 PatientAge; 0010,0040 PatientSex',
  // Text of reports, through the rules for free text. PS3.15 option Clean Structured Content, Clean Descriptors.
  cleaned: '0040,a160 TextValue; 0040,a730 ContentSequence; 0040,a043 ConceptNameCodeSequence; 0008,0104 CodeMeaning; 0042,0011 EncapsulatedDocument; ' +
    '0008,0100 CodeValue; 0040,08ea MeasurementUnitsCodeSequence; 0040,a010 RelationshipType; 0040,a040 ValueType; 0040,a120 DateTime; 0040,a121 Date; 0040,a122 Time; ' +
    '0040,a168 ConceptCodeSequence; 0040,a300 MeasuredValueSequence; 0040,a30a NumericValue',
  // Of the picture, not of the person.
  // First the file names of a DICOMDIR, which are sealed like every path.
  kept: `0004,1500 ReferencedFileID; 0008,0068 PresentationIntentType; 0020,0037 ImageOrientationPatient; 0020,9116 PlaneOrientationSequence;
    0002,0010 TransferSyntaxUID; 0008,0005 SpecificCharacterSet; 0008,0008 ImageType; 0008,0016 SOPClassUID; 0008,0060 Modality; 0008,0064 ConversionType;
    0018,0015 BodyPartExamined; 0018,5101 ViewPosition; 0018,6011 SequenceOfUltrasoundRegions; 0018,6018 RegionLocationMinX0; 0018,601a RegionLocationMinY0;
    0018,601c RegionLocationMaxX1; 0018,601e RegionLocationMaxY1; 0020,0020 PatientOrientation; 0020,0060 Laterality; 0020,0062 ImageLaterality;
    0020,9071 FrameAnatomySequence; 0020,9072 FrameLaterality; 0054,0220 ViewCodeSequence; 0028,0002 SamplesPerPixel; 0028,0004 PhotometricInterpretation;
    0028,0006 PlanarConfiguration; 0028,0008 NumberOfFrames; 0028,0010 Rows; 0028,0011 Columns; 0028,0034 PixelAspectRatio; 0028,0100 BitsAllocated;
    0028,0101 BitsStored; 0028,0102 HighBit; 0028,0103 PixelRepresentation; 0028,0301 BurnedInAnnotation; 0028,0302 RecognizableVisualFeatures;
    0028,2110 LossyImageCompression; 5200,9229 SharedFunctionalGroupsSequence; 5200,9230 PerFrameFunctionalGroupsSequence; 7fe0,0010 PixelData; 7fe0,0001 ExtendedOffsetTable;
    0028,1050 WindowCenter; 0028,1051 WindowWidth; 0028,1052 RescaleIntercept; 0028,1053 RescaleSlope; 0028,1054 RescaleType; 0028,1055 WindowCenterWidthExplanation; 0028,1056 VOILUTFunction;
    0028,3000 ModalityLUTSequence; 0028,3002 LUTDescriptor; 0028,3006 LUTData; 0028,3010 VOILUTSequence; 0028,9110 PixelMeasuresSequence;
    0028,9132 FrameVOILUTSequence; 0028,9145 PixelValueTransformationSequence; 2050,0010 PresentationLUTSequence; 2050,0020 PresentationLUTShape;
    0028,1101 RedPaletteColorLookupTableDescriptor; 0028,1102 GreenPaletteColorLookupTableDescriptor; 0028,1103 BluePaletteColorLookupTableDescriptor;
    0028,1201 RedPaletteColorLookupTableData; 0028,1202 GreenPaletteColorLookupTableData; 0028,1203 BluePaletteColorLookupTableData; 0028,1221 SegmentedRedPaletteColorLookupTableData;
    0028,1222 SegmentedGreenPaletteColorLookupTableData; 0028,1223 SegmentedBluePaletteColorLookupTableData; 0004,1220 DirectoryRecordSequence;
    0028,0106 SmallestImagePixelValue; 0028,0107 LargestImagePixelValue; 0028,0120 PixelPaddingValue; 0028,0121 PixelPaddingRangeLimit`,
}

/** By tag. Elements of a picture's display are read and used, none of them is stored. */
export const keptAttributes: ReadonlyMap<string, KeptAttribute> = new Map(Object.entries(kept).flatMap(([fate, list]) => list.split(';').map((entry) => {
  const [tag, name] = entry.trim().split(' ') as [string, string]
  return [tag, { name, fate: fate as KeptAttribute['fate'] }] as const
})))

/** The header as code that keeps something may see it: every attribute that is not listed above reads as absent, at any depth. */
export function restrictHeader(dataSet: DicomDataSet): DicomDataSet {
  const may = (tag: string): boolean => keptAttributes.has(tag)
  return {
    has: (tag) => may(tag) && dataSet.has(tag),
    tags: () => dataSet.tags().filter(may),
    vr: (tag) => (may(tag) ? dataSet.vr(tag) : null),
    text: (tag) => (may(tag) ? dataSet.text(tag) : null),
    texts: (tag) => (may(tag) ? dataSet.texts(tag) : []),
    decimals: (tag) => (may(tag) ? dataSet.decimals(tag) : []),
    words: (tag, isSigned) => (may(tag) ? dataSet.words(tag, isSigned) : []),
    items: (tag) => (may(tag) ? dataSet.items(tag).map(restrictHeader) : []),
    bytes: (tag) => (may(tag) ? dataSet.bytes(tag) : null),
  }
}
