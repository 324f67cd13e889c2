//! Word lists of English.

use super::{HousekeepingTitles, Lexicon, VerbPlace, phrases, weighted, weighted_phrases, words};

pub(super) fn lexicon() -> Lexicon {
    Lexicon {
        function_words: words(FUNCTION_WORDS),
        general_words: words(GENERAL_WORDS),
        determiners: words(
            "to the a an this that these those each every its their our his her my your some any \
             no of in on at by for from with into onto between without about over under through \
             called two three four five",
        ),
        phrase_links: words("of for in to the a and"),
        defining_verbs: words("is are means describes denotes consists refers says"),
        abbreviations: words(
            "dr mr mrs ms prof st vs etc e.g i.e eg ie cf fig figs no nos approx al resp \
             vol ch sec eq eqs dept inc ltd jr sr p pp a.m p.m u.s u.k",
        ),
        has_ordinal_dots: false,
        articles: words("the a an this that these those each every its their our his her my your"),
        conjunction: "and",
        capitalizes_nouns: false,
        sentence_starts: weighted(SENTENCE_STARTS),
        sentence_start_phrases: weighted_phrases(SENTENCE_START_PHRASES),
        sentence_ends: weighted(SENTENCE_ENDS),
        subordinators: words(
            "if when because since while although though after before until once unless whenever \
             wherever whereas as",
        ),
        clause_starts: words(
            "and but or because which who whom whose that if when while where since although though \
             so than as yet whether until unless for with whereas before after to in from by",
        ),
        finite_verbs: words(
            "is are was were am has have had does do did can could will would shall should may might \
             must cannot can't don't doesn't didn't isn't aren't wasn't weren't won't wouldn't it's \
             that's there's i'm you're we're they're i've we've you've he's she's what's i'll we'll \
             you'll they'll it'll let's means says became becomes seems gets gives makes takes goes \
             comes went came took gave made knew saw found got said told thought",
        ),
        subject_pronouns: words("i you we they he she it who which"),
        object_pronouns: words("it them him her us me you itself themselves this that these those"),
        adverbial_starts: words(
            "in on at by with without after before during under over through from within between \
             among for to",
        ),
        infinitive_markers: words(INFINITIVE_MARKERS),
        verb_place: VerbPlace::BeforeObject,
        connectives: phrases(CONNECTIVES).into_iter().collect(),
        lead_ins: phrases(LEAD_INS).into_iter().collect(),
        topic_frames: phrases(TOPIC_FRAMES),
        topic_hints: phrases(TOPIC_HINTS),
        openers: words(
            "um uh er hmm okay ok alright right so now well then next and but yes yeah finally lastly \
             also first second third good anyway",
        ),
        fillers: words("um uh er erm hmm"),
        hedges: words("basically honestly literally"),
        asides: phrases(ASIDES).into_iter().collect(),
        presentations: phrases(
            "what happens is, what happens then is, what happened is, what happened was, what you do is, \
             the thing is, the point is, the trick is, the answer is, the idea is, the nice thing is, the funny thing is, the good \
             news is, the bad news is, the problem is, the truth is, the fact is, it turns out, what this means is, what that means is, \
             that means, this means, which means, it means, i think, i mean, you see, you know, notice that, note that, remember, we know, i would say, i guess",
        )
        .into_iter()
        .collect(),
        general_verbs: words(GENERAL_VERBS),
        contrasts: words("therefore however though also"),
        anaphora: words(
            "it its it's it'll itself they them their theirs they're they've they'll themselves he him his he's \
             himself she her hers she's herself one ones both neither",
        ),
        pointers: words("there then thus therefore otherwise instead here"),
        demonstratives: words("this that these those such that's"),
        first_person: words(
            "i me my mine myself we us our ours i'm i've i'd i'll we're we've we'll",
        ),
        removable_starts: words("so and but however therefore or anyway yeah"),
        verbs: words(VERBS),
        adjectives: words(ADJECTIVES),
        emphasis: phrases(EMPHASIS).into_iter().collect(),
        housekeeping_stems: HOUSEKEEPING_STEMS
            .iter()
            .flat_map(|&(weight, text)| text.split_whitespace().map(move |stem| (stem, weight)))
            .collect(),
        housekeeping_phrases: weighted_phrases(HOUSEKEEPING_PHRASES),
        dates: words(
            "monday tuesday wednesday thursday friday saturday sunday january february march \
             april june july august september october november december tomorrow tonight \
             midnight noon morning afternoon evening week weekend fourth \
             fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth \
             fifteenth sixteenth seventeenth eighteenth nineteenth twentieth thirtieth o'clock",
        ),
        second_person: words("you your yours yourself yourselves everybody anybody somebody"),
        housekeeping_titles: HousekeepingTitles {
            opening: "Welcome and opening remarks",
            announcement: "Announcements for the course",
            interruption: "Interruption of the lecture",
            closing: "Closing remarks and homework",
        },
    }
}

const SENTENCE_STARTS: &[(f64, &str)] = &[
    (
        2.5,
        "let let's suppose imagine consider notice okay alright hello however thank thanks sorry",
    ),
    (
        1.5,
        "now today next finally well another first second third last these those this there good here there's \
         that's what's maybe perhaps actually basically remember",
    ),
    (
        0.6,
        "we i each every most many some such after during today's please then \
         i'm we're they're you're i've we've you've it's he's she's",
    ),
    (
        0.3,
        "the my our a an by all neither no in at on one what why how did does do you they he she it right",
    ),
    (-0.2, "if when before"),
    (-0.3, "so but as for since while therefore yet"),
    (-1.5, "and because from whether where rather with"),
    (
        -3.0,
        "or which that who whose whom than of to nor is are was were has have had \
         will can would could should must may means says tells takes makes gives goes \
         comes falls rises leaves needs becomes gets keeps lets runs turns holds brings \
         depends consists looks works lies stands sits seems appears begins starts ends remains stays allows \
         needs shows contains happens uses \
         until unless although though into onto like via per except plus versus",
    ),
];

const SENTENCE_START_PHRASES: &[(f64, &str)] = &[
    (
        2.0,
        "so let, so today's, so today, so what, so how, so why, but what, but how, but why, and now, \
         that means, now let, now we, now the, okay so, all right",
    ),
    (
        0.8,
        "that was, in fact, of course, in other, at first, to begin, to understand, to see, \
         so if, so when, so this, but there, but this, but in, but if, but when, because of, as you, as we, to do, to make, to find, to get, \
         with this, for this, from this, \
         do you, does this, did you, can you, could you, have you, is there, \
         are there, is it, is this",
    ),
    (
        -0.2,
        "that is, with the, with a, for the, for a, from the, but the, so the, so we, and then, and that's, and this, and so, for example, for instance, even if, even when, even though",
    ),
    (
        -1.5,
        "so that, so it, so they, so he, so she, so its, so their, but it, but they, but not, but only, but he, \
         but she, and the, and it, and they, and its, as if, as though, as soon, as long, as well, as \
         large, for which, in which, on which, at which, of which, by which, with which, from which, \
         for it, it is, for they",
    ),
    (-3.0, "the same, more than, less than, rather than"),
];

const INFINITIVE_MARKERS: &str = "to can could will would shall should may might must cannot can't don't \
     doesn't didn't won't couldn't wouldn't";

const SENTENCE_ENDS: &[(f64, &str)] = &[
    (-2.5, "in on"),
    (
        -4.0,
        "the a an of to and or but that which who whose because if when than as with \
         from for by at its their our my your his this these every each no very more \
         most into onto upon between among whether while where since is are was were be been being \
         not so called towards toward within without against during across along behind beside \
         beyond per via until unless although though whom nor am i'm we're they're you're it's that's \
         there's let's we've i've gonna",
    ),
    (
        -1.5,
        "up over through under about after before around can will would could should may might must has have had do \
         does did we they i he she it only also just how what why then therefore even never always \
         really quite rather now such another other some any many several few all both neither either two three four five six \
         seven eight nine ten eleven twelve twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million first second \
         next last can't don't doesn't won't",
    ),
    (
        0.8,
        "them him me again today anymore either neither well together too yet itself \
         themselves though anyway everything nothing else ago everywhere",
    ),
];

const CONNECTIVES: &str = "however, but, and, or, so, therefore, thus, hence, because, although, though, yet, \
             nevertheless, moreover, furthermore, consequently, otherwise, instead, similarly, \
             likewise, also, then, this, that, these, those, it, they, he, she, its, their, \
             them, such, neither, either, another, as a result, for example, for instance, \
             in this way, at the same time, on the other hand, in contrast, which, who, there, \
             at that point, then again, with this, with that, with these, from this, by this, \
             yes, no, the same, the other, the second, the third, in that case, his, her, each of them, \
             to repair this, the answer, the cure, the reason, the result";

const TOPIC_FRAMES: &str = "let us now leave, let us talk about, let me talk about, talk about, talks about, turn to, \
             speak about, look at, move on to, come to, begin with, start with, topic is, topic for today is, \
             topic today is, subject is, subject for today is, topic of today is, next comes, begins with, \
             leads us to, lead us to, to compare, let me now explain, let me explain, let us discuss, \
             discuss, introduce, want to show you, the way, the answer is";

const TOPIC_HINTS: &str = "what about, how about, next up is, next is, get to, moving on to, go on to, move to, tell you \
             about, asking me about, ask me about, asks about, now to, on to, then there is, then there are, \
             then comes, what is, what are, want to say about, about";

const ASIDES: &str = "you know, i mean, i think, i guess, i would say, i do not know, i don't know, \
             say, to be honest, honestly, seriously, by the way, actually, well, like, right, okay, yeah, of course, \
             you will not believe this, i am sorry, i'm sorry, sort of, kind of, as i said, as it were, so to speak, if you like, \
             i believe, i suppose, obviously, in a way, more or less, believe it or not, really, uh-huh, please, remember, what, \
             mind you, see, look, frankly, you see, trust me";

const GENERAL_VERBS: &str = "\
    says said tells told asks asked calls called makes made takes took gives gave gets got goes went comes came \
    becomes became keeps kept lets puts sees saw looks looked finds found knows knew thinks thought wants wanted \
    needs needed uses used tries tried works worked shows showed talks speaks begins began starts started ends \
    ended stops stopped happens happened leaves left brings brought holds held turns turned seems seemed appears \
    remains stays stayed moves moved consists contains contained causes caused depends depended follows followed \
    chooses chose compares builds built draws drew explains explained writes wrote grows grew falls fell runs \
    ran helps helped allows allowed carries carried loses lost sits sat walks walked stands stood wins won pays \
    paid buys bought sends sent meets met adds added cuts lives lived covers covered protects protected \
    survives survived decides decided solves solved changes changed make take give get go come become keep need use \
    work look run stay move hold turn help grow fall lose carry depend consist contain";

const VERBS: &str = "\
    accept achieve act admit affect afford agree aim answer appear apply argue arrive ask assume attach attack attempt \
    avoid bake bear beat become beg behave believe belong bend bind bite blame blow boil borrow bounce break breathe \
    bring build burn bury buy calculate catch check choose claim climb close collapse collect combine compare \
    complain compute confuse connect cook copy count crack crawl create crumble cry decay declare define deliver \
    deny describe destroy develop die differ dig disappear discover dissolve distinguish divide double dream dress drift drink \
    drive drop eat emerge encourage engage enjoy ensure enter escape estimate exist expand expect explode express \
    extend fail feed feel fight fill find finish fit fix fly forget form freeze gain gather get glow grab grind grow guess hate \
    hang happen hear heat hide hit hold hop hope hunt ignore imagine improve include increase insist install intend invent \
    invite join jump keep kick kill knead knock know land laugh lay lead lean learn leave lend lie lift \
    like line listen look love lower make manage mark mean measure melt mention mix multiply need notice obey observe \
    obtain occur offer open owe pass peel perform persuade pick plan play pour predict prefer prepare press pretend \
    prevent produce promise propose protect prove provide publish pull pump push put quit raise reach react \
    read realize receive recognize reduce refer refuse relax release rely remember remind remove repair repeat replace \
    reply represent require rescue resemble respond retire return reveal ride ring rise roll rub rush save scan \
    scrape seek seem sell separate serve settle shake share shift shine shrink shut sing sink sit sleep slide slow smell smile smoke \
    solve speed spend spin split spread squeeze stare steal stick sting stir store stretch strike struggle \
    suffer suggest suit supply support suppose surprise surround survive swallow swell swim swing taste teach tear \
    tend test thank think throw touch travel treat trust try understand vanish vary visit vote wait wake wander warm warn \
    wash waste watch weaken wear weigh win wipe wish worry wrap";

const ADJECTIVES: &str = "\
    able absolute active afraid alive alone ancient angry annoying asleep available average awake aware awesome awful bare beautiful \
    black blind blue boring bright broad broken brown busy calm careful cheap clean clever cold comfortable comparable \
    complete complex conscious convenient cool correct crazy cruel curious dangerous dark dead dear deaf dense \
    desperate difficult direct dirty dry dull eager early elegant empty enormous entire equal essential evil \
    excellent exciting expensive extra fair faint familiar famous fat fine firm flat fond foreign formal free \
    fresh friendly frozen full funny fuzzy gentle glad gradual grateful gray great greedy green grey guilty half happy \
    hard harmless healthy heavy helpful hidden high hollow holy honest horrible hot huge hungry identical ill immediate \
    independent invisible jealous just keen large late lazy light likely liquid local lonely long loose loud lovely \
    low lucky mad mild modern multiple narrow nasty natural neat necessary nervous noisy normal obvious odd opposite ordinary \
    painful pale particular patient perfect permanent plain pleasant polite poor popular powerful practical precise pretty \
    private proper proud pure quick quiet random rapid rare raw ready real red relevant reliable rich rigid ripe rough round \
    rude sad safe salty scared separate serious severe shallow sharp shiny short sick silent silly slight slow \
    smart smooth soft solid sorry sour special specific stable stale steady steep sticky stiff still straight \
    strange strict strong stubborn stupid sudden sufficient sure sweet tall terrible thick thin tight tiny tired tough \
    transparent tricky ugly unable unique unlikely unlucky unusual upset urgent useful useless usual vague valid vast \
    violent visible warm weak weird wet white wide wild wise wonderful worried worth yellow";

const LEAD_INS: &str = "now, let, let's, so now, today, our first, our next, our subject, the first topic, the next, \
             the last, next, the second topic, first of all, suppose, imagine, consider, what is, what are, \
             how does, how do, how is, how can, how far, why do, why does, why is, last of all, finally let, \
             i want to, i would like to, next i, next comes, the question is, when we, \
             so today's, today's, in the next, we now, we turn, we come, last";

const EMPHASIS: &str = "important, remember, key, main, essential, central, crucial, fundamental, called, \
             means, reason, defined, definition, therefore, result, rule, principle, because, \
             consists, notice, difference, idea, conclusion, known";

const FUNCTION_WORDS: &str = "\
    a an the this that these those each every either neither some any no none all both half several \
    few many much more most other another such same own \
    i me my mine myself we us our ours ourselves you your yours yourself yourselves he him his \
    himself she her hers herself it its itself they them their theirs themselves one ones \
    who whom whose which what whatever whichever whoever someone somebody something anyone anybody \
    anything everyone everybody everything nobody nothing \
    am is are was were be been being do does did done doing have has had having will would shall \
    should can could may might must ought cannot can't don't doesn't didn't isn't aren't wasn't \
    won't wouldn't it's that's there's let's i'm you're we're they're i've we've \
    s t re ve ll d m don doesn isn aren didn wasn won wouldn couldn shouldn \
    of in on at by for from with without into onto upon to toward towards through throughout \
    over under above below between among across along around about against before after during \
    since until till up down off out away back near behind beside besides beyond within per via than as like unlike \
    and or but nor so yet because although though if unless while whereas when whenever where \
    wherever whether how why once \
    not never always often sometimes usually quite rather very too also just only even still already \
    again here there backwards forwards upwards downwards sideways online offline now then thus hence therefore however moreover otherwise instead perhaps maybe \
    really actually basically simply merely almost nearly hardly about roughly well soon later ago \
    today yesterday tomorrow together apart else ever yes yeah yep nope okay ok alright right um uh er hmm ah oh \
    please thanks thank sorry hello hi";

const GENERAL_WORDS: &str = "\
    say says said tell tells told ask asks asked call calls called name names mean means meant \
    make makes made take takes took taken give gives gave given get gets got go goes went gone \
    come comes came become becomes became keep keeps kept let lets put puts see sees saw seen \
    look looks looked find finds found know knows knew known think thinks thought want wants wanted \
    need needs needed use uses used using try tries tried work works worked show shows showed shown \
    talk talks speak speaks begin begins began start starts started end ends ended stop stops \
    happen happens happened leave leaves left bring brings brought hold holds held turn turns turned \
    seem seems appear appears remain remains stay stays move moves moved \
    consist consists contain contains contained cause causes depend depends follow follows followed choose \
    chooses chose chosen compare compares build builds built draw draws drew explain explains \
    write writes wrote written read reads grow grows grew fall falls fell run runs ran \
    help helps allow allows carry carries lose loses lost \
    sit sits walk walks walked stand stands stood win wins won pay pays paid buy buys bought \
    send sends sent meet meets met add adds added cut cuts live lives lived cover covers \
    protect protects survive survives decide decides decided \
    answer answers solve solves change changes changed happened everything \
    suppose imagine remember notice consider note \
    course thing things way ways kind kinds sort lot lots bit number part parts case cases example examples \
    group groups piece pieces bits majority amount amounts stuff bunch couple story stories problem problems \
    fact point points question questions topic topics subject idea ideas reason reasons time times day \
    days year years week weeks hour hours minute minutes second seconds people person man men woman women \
    somebody word words end beginning middle top bottom front side sides place places result results rest \
    first second third last next two three four five six seven eight nine ten hundred thousand \
    million million's dozen zero eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen \
    twenty thirty forty fifty sixty seventy eighty ninety once twice half quarter percent degree degrees \
    metre metres meters kilometre kilometres kilometer kilometers centimetre centimetres centimeter centimeters \
    millimetre millimetres mile miles inch inches foot feet ton tons gram grams kilo kilos pound pounds dollar \
    dollars euro euros month months century centuries age ages outside inside truth guy guys trick tricks \
    good bad better best worse worst great big bigger biggest large larger largest small smaller smallest \
    long longer longest short shorter shortest high higher highest low lower lowest new newer newest old older oldest young early earlier earliest late latest \
    little less least different similar important interesting simple easy easier hard harder difficult true false whole \
    full empty certain clear possible impossible nice famous common usual typical exact exactly enough main single \
    fast faster fastest slow slower quickly slowly deep deeper wide far further \
    slightly completely entirely particularly especially directly immediately suddenly finally therefore \
    possibly probably certainly clearly obviously systematic wrong quite straight";

const HOUSEKEEPING_STEMS: &[(f64, &str)] = &[
    (
        2.2,
        "homework midterm deadline microphone projector handout syllabus announcement \
         coursework plagiari attendance enrol tutorial moodle canvas blackboard makeup",
    ),
    (
        1.6,
        "exam quiz assignment submit upload grades graded grading slides lecturer laptop website portal \
         forum email e-mail inbox reschedul cancelled registration calculator",
    ),
    (
        0.8,
        "please welcome thank thanks sorry excuse goodbye bye hello everybody anybody somebody questions \
         seats door noise chapter sheet exercise seminar office hall classroom \
         trip list read project partner assistant chat weekend programme notes",
    ),
];

const HOUSEKEEPING_PHRASES: &[(f64, &str)] = &[
    (
        3.6,
        "good morning, good afternoon, good evening, welcome back, welcome to, can you hear, \
         hear me, back row, first row, front row, office hours, office hour, teaching assistant, problem sheet, exercise sheet, \
         due on, hand it in, hand in, turn it in, see you, have a nice, nice weekend, any questions, \
         have a question, have questions, for next week, for next time, course page, field trip, \
         at the back, then let us begin, get going, let us get started, before we start, before we begin, \
         practical things, take care, and goodbye, one moment, hold on, excuse me, \
         thank you for, thanks for, questions left, nearly over, \
         end of the hour, end of today's, our time is, sign up, \
         carry on, next lecture, last lecture, \
         office on",
    ),
    (
        1.2,
        "you can find, you will find, you have to, you need, you may bring, will be on, will be online, takes place, \
         let me know, this week, next week, this friday, this time, if you have, on monday, on tuesday, on wednesday, on thursday, on friday, \
         until sunday, on the fourteenth, this evening, \
         this afternoon, great thank",
    ),
];
