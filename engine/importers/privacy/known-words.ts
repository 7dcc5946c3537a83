/** Word lists of the name rule, written for this project: common given and family names, eponyms of medicine, and words that are no names though capitalised. */

import { moreFamilyNames, moreGivenNames } from './rules/more-names.ts'
import { worldFamilyNames } from './rules/world-family-names.ts'
import { worldGivenNames } from './rules/world-given-names.ts'

const list = (text: string, more: readonly string[] = []): ReadonlySet<string> => new Set([...text.split(/\s+/).filter((word) => word !== ''), ...more])

/** Given names that are nothing else in a clinical note. Lower case. */
export const givenNames = list(`
aaron abdul abigail abraham adam adrian agnes ahmed aisha alan albert alejandro alessandro alex alexander alexandra alfred alice alicia alison allison amanda amelia amy ana andrea andreas andrew angela anita ann anna anne
annette anthony antoine antonio arjun arnold arthur ashley astrid audrey barbara beatrice benjamin bernard bernadette beth betty beverly boris brandon brenda brian bridget bruce bruno caitlin camila carl carla carlos
carmen caroline catherine cecilia charles charlotte cheryl chloe chris christina christine christopher cindy claire clara claudia clifford colin connor craig cristina cynthia daniel daniela david deborah debra denise dennis derek
diana diane diego dmitri dolores dominic donald donna dorothy douglas duncan edith edmund eduardo edward edwin eileen elaine eleanor elena elizabeth ella ellen elsa emily emma enrique eric erika ernest esther ethan
eugene evan evelyn farah fatima felipe felix fernando fiona frances francesca francis francisco franz fred frederick gabriel gabriela gareth gary geoffrey george gerald gerard giovanni giulia gloria gordon greg gregory greta
guillermo gustav hamid hannah hans harold harriet harry hassan hazel hector heinrich helen helena helga henri henry herbert hiroshi hugh hugo hussein ian ibrahim ignacio igor imran ingrid irene isaac isabel isabella ivan
jacob jacqueline jamal james jamie jane janet janice jason javier jeffrey jennifer jeremy jerome jerry jessica jesus jill joan joanna joanne joao joel johan johann john johnny jonathan jorge jose joseph josephine joshua
joyce juan juanita judith judy julia julian julie julio justin karen karl kate katherine kathleen kathryn katie keith kelly kenneth kevin khalid kimberly kirsten klaus kristen kumar kyle larry lars laura lauren laurence
lawrence leah leila leo leon leonard leonardo leslie lillian linda lisa liam lois lorenzo lorraine louis louise lucas lucia lucy luigi luis luke lydia madeline malcolm manuel marcel marco marcus margaret maria marie
marion mario marilyn marjorie marta martha martin mary matteo matthew maureen maurice megan mei melanie melissa michael michel michelle miguel mikhail mildred mohamed mohammed muhammad monica monika mustafa nadia nancy
naomi natalia natalie natasha nathan nathaniel neil nicholas nicola nicole nigel nikolai nina noah noor norma norman olga oliver olivia omar oscar osman otto owen pablo pamela patricia patrick paul paula paulo pauline
pedro peggy peter petra philip phillip phyllis pierre priya rachel rafael rahul raj rajesh ralph ramon raphael raul raymond rebecca reginald renate ricardo richard rita robert roberta roberto rodrigo roger roland ronald rosa rosemary
roxanne roy russell ruth ryan sabrina salma samantha samir samuel sandra sanjay sara sarah scott sean sebastian sergei sergio shannon sharon shawn sheila shirley silvia simon sofia sonia sophia sophie stacey stanley stefan
stella stephanie stephen steve steven stewart stuart susan susanna suzanne svetlana sven sylvia takashi tamara tania tara tatiana teresa terence terry thelma theodore theresa thomas tiffany timothy tina todd tomas tony tracy
tyler ursula valerie vanessa vera veronica vicki victoria vijay vincent vladimir walter wanda wayne wendy werner wilfred wilhelm william winifred wolfgang xavier yasmin yolanda yuki yusuf yvonne zachary zainab zoe`, [...moreGivenNames, ...worldGivenNames])

/** Given names that are also words, months or places: a name only beside a family name. */
export const doubtfulGivenNames = list(`
grace may will mark rose hope faith joy bill frank grant art dean drew gene jack pat ray rich rob sue summer dawn heather ivy iris lily violet ruby amber crystal jade olive daisy chase carol christian angel victor max wade
dale glen brook holly robin jean guy lance penny rod earl charity autumn melody paris sydney florence virginia georgia austin jordan israel chad kenya april june august tom tim jim joe sam ben dan don ed ron ken bob jo kim lee
ali wei li jun min ann eve eva lynn drew kay dot`)

/** Family names. Lower case; the ones that are also words count only beside a given name or a title. */
export const familyNames = list(`
abbott abdullah adams ahmed akhtar alvarez allen andersen anderson andersson andrews armstrong arnold ashford atkinson bailey banerjee barker barnes barnett bauer becker bennett berg bergman bianchi bishop blackwell boyd bradley brennan
brooks brown bryant burke burton byrne cameron campbell carlson carpenter carr carroll carter castillo castro chan chandra chang chapman chavez chen cheng choi chowdhury christensen chung clark clarke cohen cole coleman collins
connolly conway cooper costa cox craig crawford cruz cunningham dalton daniels davidson davies davis dawson delgado diaz dixon doherty dominguez donnelly doyle dubois duncan dunn dupont edwards elliott ellis eriksson espinoza evans
farrell ferguson fernandez ferrari fischer fitzgerald fleming fletcher flores foster fowler francis fraser freeman fuller garcia gardner garza gibbs gibson gomez gonzales gonzalez goodwin gordon goldberg gonzaga graham gray green
greene griffin griffiths guerrero gupta gutierrez guzman hall hamilton hansen harris harrison harvey hawkins hayes henderson henry hernandez herrera hicks hoffmann hofmann holland holmes horvath houston howard huang hudson hughes
hunter hussain hussein ibrahim ivanov ivanova jackson jacobs jacobsen jain james jansen jenkins jensen jimenez johansson johnson johnston jones joseph kapoor karlsson kaur kelley kelly kennedy khan kim kimura king klein knight kowalski
kozlov kumar lambert larsen larson lawson le lee leonard lewis liu lopez lim lindqvist ludwig lynch macdonald mackenzie malik marino marshall martin martinez mason matthews mcbride mccarthy mcdonald mcgrath mckenzie mclean medina mehta
mendez mendoza meyer miller mills mitchell mohamed moore morales moran moreau moreno morgan morris morrison mueller muller murphy murray myers nakamura nelson newman nguyen nielsen novak nowak nunez obrien oconnor oliveira olsen
olson ortega ortiz osborne owens padilla palmer park parker parsons patel patterson payne pedersen pereira perez perkins perry peters petersen peterson petrov pham phillips pierce popov porter powell price quinn rahman ramirez
ramos rao reddy reed reid reyes reynolds rhodes ricci richards richardson richter riley rivera roberts robertson robinson rodrigues rodriguez rogers romano romero rosenberg rosenthal ross rossi rossini ruiz russell russo ryan sakamoto salazar
sanchez sanders santiago santos sato saunders schmidt schmitt schneider schroeder schultz schulz schwartz scott sharma shaw shah sheikh silva simmons simpson singh smirnov smith snyder sokolov soto spencer stephens stevens stevenson
stewart stone suarez sullivan suzuki svensson tanaka taylor thomas thompson thomson torres tran tucker turner valdez vargas vasquez vega vogel volkov wagner walker wallace walsh wang ward warren washington watanabe watkins watson watts weaver
webb weber webster wei weiss wells west wheeler white whitaker williams williamson wilson winkler wong wood woods wright wu xu yamamoto yang yilmaz young yusuf zhang zhao zhou zhu ziegler zimmermann`, [...moreFamilyNames, ...worldFamilyNames])

/** Persons after whom signs, diseases and devices are named; safe before one of `eponymNouns` or an apostrophe. Lower case. */
export const eponyms = list(`
addison adson alport cobb boehler bohler insall meary kline risser hoffa segond brodsky mirels wallace alzheimer apgar argyll arnold asperger auer austin babinski baker bankart barlow barrett bartter basedow bassini becker behcet bell bence bennett bernard berry bland blalock bochdalek bouchard boerhaave bosniak bowen bowman bright broca
brodie brown brudzinski brugada budd buerger burkitt caplan cameron caroli chagas charcot cheyne child chvostek clark colles conn cooley courvoisier crohn cullen cushing dandy davies dercum diamond douglas down dressler duchenne duke dupuytren durand ebstein edwards
ehlers eisenmenger epstein ewing fallot fanconi felty fleischner foley fontan forrester foster fowler frank freiberg friedlander gallo garland gaucher gehrig ghon gilbert gleason glasgow glenn goodpasture gottron gram graham graves grey guillain gunn hampton harris hartmann
hashimoto hawkins heberden henoch henle heimlich hickman hill hirschsprung hodgkin hoffman holter homan horner hounsfield howell hughes hunt hunter huntington hutchinson ishihara jackson janeway jones kaposi kartagener kawasaki kayser kerley kernig killip klatskin klebsiella
klinefelter koch kohler koplik korsakoff kussmaul kveim lachman ladd laennec langerhans lanz legg leriche lewis lisfranc littre loeffler loffler louis ludwig lyme mallory marcus marfan marie mayo mcburney mcmurray meckel meigs meniere mendelson menetrier merkel mobitz
monro morgagni morton murphy negri nelson nissen osgood osler ormond paget pancoast parkinson pasteur patrick pearson perthes peyer peutz pfannenstiel phalen pott poupart potter pratt prinzmetal purkinje quincke ramsay raynaud reed reiter rendu reye reynolds riedel riley rinne robertson
rokitansky romberg romhilt ross roth roux sabin salter schatzki schilling schlatter schober seldinger sezary sheehan shy simmonds simpson sims sipple sjogren smith snellen spitz stargardt steell steinberg stensen sternberg stevens still stokes sturge swan swyer sydenham takayasu
tay thomas tietze tourette treitz trendelenburg trousseau turner valsalva vater virchow waldenstrom waterhouse watson weber wegener weil wernicke westermark wharton whipple white wickham wilms wilson winslow wolff wood yersin zenker ziehl zollinger ganz geer hodgkins ransom wells
aschoff chiari crouzon dandy-walker kimmelstiel sachs danlos bonnet moore schonlein parkes stein leventhal bouillaud morquio hurler pompe niemann pick stewart treves glisson hesselbach lugol stanford debakey goetze thompson parsonage drusen goldmann amsler bruch bitot fuchs sampaolesi elschnig hollenhorst
goldenhar eales coats vogt harada koyanagi leber usher terson tenon schlemm descemet bowman schwalbe haab arlt stellwag dalrymple pel van kock allen mccune albright salmon sanders king bird garden weller kellgren lawrence schmorl modic scheuermann haglund hill-sachs segond`)

/** What an eponym stands before. Lower case, singular; plurals are cut. */
export const eponymNouns = list(`
cyst line sign lymphoma disease syndrome catheter tube drain effect node body bodies cell maneuver manoeuvre test palsy triad tetralogy scale score index classification criteria criterion hernia fracture contracture phenomenon reflex reaction law ring membrane tumor tumour sarcoma
carcinoma anomaly malformation deformity murmur pupil procedure operation position stain esophagus oesophagus ulcer gangrene angina arthritis thyroiditis encephalopathy nephropathy neuropathy keratopathy dystrophy retinopathy atrophy duct gland islet loop space pouch fascia ligament canal
point triangle angle hump stripe shadow lung lobe lesion focus complex nodule node nodes spots spot plaque plexus layer cone valve shunt bypass incision forceps clamp retractor retainer wire stent filter pacemaker monitor grade stage type stages grades unit units coma respiration respirations
breathing abscess granuloma granulomatosis vasculitis purpura anemia anaemia nevus naevus melanoma osteotomy fundoplication gastrectomy pouchitis crisis chorea ataxia aphasia area fissure gyrus block criteria-based needle knife mask bandage collar splint frame suture ivor foot joint knee sac diverticulum duct
bag balloon port-a-cath lead leads flap graft prosthesis device sheath introducer chart eye ophthalmopathy orbitopathy orbit uveitis heterochromia corneal endothelial dystrophies macula membrane test tonometry tonometer vein scan hand rupture tear staging angiitis pneumonia bronchiectasis nephritis`)

/** Words that stand capitalised in notes and are no names. Lower case. */
export const plainWords = list(`
surname surnames forename forenames firstname lastname postcode mobile telephone scrub runner implant anesthetist anaesthetist radiographer sonographer operator assistant surgeon surgeons ethnicity occupation
a an the and or of in on at to from by with without for as is are was were be been has have had he she they it his her their this that these those no not none there then than when while where which who whose what why how all any both each few more most other some such only own same so too very can
will just should now if but because until about against between into through during before after above below up down out off over under again further once here i we you our your my me us them him its patient patients pt doctor physician nurse surgeon radiologist radiology cardiology neurology
oncology urology surgery orthopedics orthopaedics pathology pediatrics paediatrics medicine internal emergency department dept ed er icu ccu nicu ward clinic hospital unit team service staff resident attending consultant fellow on-call oncall family gp pcp anesthesia anaesthesia dermatology gastroenterology
nephrology pulmonology rheumatology hematology haematology endocrinology ophthalmology optometry psychiatry infectious disease diseases intensive care pharmacy laboratory lab medical records social work technologist technician administration
chest heart lung lungs cardiac pulmonary mediastinal mediastinum pleural bone bones soft tissue tissues right left upper lower middle lobe lobes bilateral unilateral anterior posterior lateral medial frontal pa ap view views image images imaging radiograph radiographs xray x-ray x-rays ct mri mr us ultrasound pet
scan scans exam examination study studies report findings finding impression indication comparison technique history clinical information reason conclusion recommendation recommendations assessment plan diagnosis date time age sex male female gender name none normal abnormal unremarkable stable mild moderate severe acute chronic
new old prior previous current unchanged interval small large no evidence pneumonia pneumothorax effusion effusions edema oedema atelectasis opacity opacities consolidation infiltrate nodule nodules mass masses lesion lesions fracture fractures degenerative calcified granuloma scarring cardiomegaly hyperexpanded
copd chf cancer tumor tumour hypertension diabetes pain cough fever dyspnea dyspnoea shortness breath mild seen noted shown shows show showed demonstrates demonstrated reveals revealed suggests suggest consistent compatible possible probable likely suspected versus otherwise please correlate correlation follow followup follow-up
recommended advised given yes unknown unspecified available not-available n/a na pending completed done see also one two three four five six seven eight nine ten first second third monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september october november december
today yesterday tomorrow morning afternoon evening night english spanish chinese french german italian american african asian european caucasian hispanic black white christmas easter covid covid-19 sars influenza wuhan china hubei legionella staphylococcus streptococcus pneumococcus klebsiella pseudomonas aspergillus candida mycoplasma
hemoglobin haemoglobin creatinine sodium potassium glucose albumin aspirin heparin warfarin metformin lisinopril atorvastatin vancomycin ceftriaxone azithromycin prednisone insulin oxygen saturation blood pressure heart rate temperature respiratory rate arterial venous gas analysis urine sputum culture pcr positive negative
retina retinal macula macular optic disc disk fundus eye eyes cornea corneal lens vitreous cataract glaucoma drusen myopia retinopathy od os ou iop visual acuity brain spine abdomen pelvis neck head knee hip shoulder wrist hand foot ankle thoracic lumbar cervical aorta aortic liver kidney spleen
call called calls contact electronically signed reviewed dictated transcribed verified approved reported read interpreted performed requested ordered referred notified discussed communicated copy cc dear sincerely regards thanks thank mother father brother sister wife husband son daughter director chair chief head professor md do phd rn
student nurse practitioner assistant therapist physiotherapist dietitian midwife neurosurgery trauma transplant vascular thoracic outpatient inpatient admitted discharged transferred presented presents presenting dr drs mr mrs ms mx miss prof professor rev unit floor room bed id mrn dob phone fax email address reference number insurance accession screening`)
