import sys, json, subprocess
from pathlib import Path
sys.path.insert(0, str(Path(__file__).parent))
import lecture as L, measure as M
prog=sys.argv[1]
def run(lec, segs, sil):
    inp=json.dumps(dict(duration=lec.duration, transcript=segs, silences=sil))
    return json.loads(subprocess.run([prog],input=inp,capture_output=True,text=True,check=True).stdout)
for name in sys.argv[2].split(","):
    p=Path(__file__).parent/"lectures"/f"{name}.txt"
    lec=L.read(p,0)
    vs={"sent":(L.sentence_segments(lec),L.silences(lec)),"capt":(L.captions(lec,0),L.silences(lec)),"plain":(L.without_punctuation(L.captions(lec,0)),L.silences(lec))}
    for v in sys.argv[3].split(","):
        out=run(lec,*vs[v])
        print("=====",name,v,round(lec.duration))
        fb=M.found_boundaries(lec,out["topics"]); tb=M.true_boundaries(lec)
        print("true",tb,"found",fb,M.precision_and_recall(tb,fb),round(M.window_diff(lec,fb),3))
        for t in out["topics"]:
            k=M.main_topic(lec,t["start"],t["end"]); good=M.is_good_title(lec,k,t["topic"]) if k is not None and not lec.topics[k].is_housekeeping else None
            print(f"  {t['start']:6.1f} {t['end']:6.1f} {t['importance']:.2f} {good} [{lec.topics[k].terms[0] if k is not None else None}] {t['topic']}   | {t['keywords']} | {t['concepts']}")
        for c in out["clips"]:
            s,e=M.clip_edges(lec,c); w=M.words_in(lec,c["start"],c["end"]); k=M.main_topic(lec,c["start"],c["end"])
            print(f"  CLIP {c['start']:6.1f} {c['end']-c['start']:5.1f}s {s} {e} hk={M.housekeeping_seconds(lec,c):.1f} [{lec.topics[k].terms[0]}] {c['title']}\n     {' '.join(x.text for x in w[:8])} ... {' '.join(x.text for x in w[-8:])}\n     D: {c['description']}")
