"""The family of a language, for grouping: of the languages with facts for typology, and of others in multilingual data sets."""

from __future__ import annotations

from crossgraft.analysis.questions.paper.typology import FACTS

UNKNOWN = "unknown"

_OTHERS = {  # ISO 639 codes by family, without the languages of FACTS
    "Afro-Asiatic": "aeb afb ajp apc arb ary arz ber ha kab mt om so ti tzm",
    "Austroasiatic": "kha km sat",
    "Austronesian": "ace ban bjn bug ceb fil fj haw hil ilo jv mg mi min ms msa pag sm su tet tl to war",
    "Aymaran": "ay",
    "Dravidian": "kn ml tcy",
    "Eskimo-Aleut": "iu kl",
    "Indo-European": (
        "af an as ast awa be bho br bs ca ckb cy dv fo fy ga gd gl gsw gu hr hy is kmr kok ks ku la lb li lij lmo lt "
        "lv mag mai mk nb ne nn no oc or os pa pes prs ps rm sa sc scn sd sh si sk sl sq sr szl tg vec yi"
    ),
    "Kartvelian": "ka xmf",
    "Mongolic": "bxr khk mn",
    "Niger-Congo": (
        "ak bem bm ee ff fon fuv ig kg ki kmb ln lg lua mos nso ny rn rw sg sn st ss swh tn ts tum tw ve wo xh"
    ),
    "Nilo-Saharan": "din knc kr luo",
    "Quechuan": "qu quy",
    "Sino-Tibetan": "bo cmn dz hak lus mni my nan wuu yue",
    "Tai-Kadai": "lo shn",
    "Tupian": "gn",
    "Turkic": "az ba crh cv kaa kk ky sah tk tt ug uz",
    "Uralic": "kv myv se sma smn udm",
    "constructed": "eo ia",
    "creole": "ht pap tpi",
}
_FAMILIES = {code: family for family, codes in _OTHERS.items() for code in codes.split()} | {
    code: facts[0] for code, facts in FACTS.items()
}


def family(language: str) -> str:
    """Of a BCP 47 tag, whatever its script and region; of a language pair both families, or the one that both are of.

    >>> family("zh-Hant"), family("en:fi"), family("en:de"), family("qaa")
    ('Sino-Tibetan', 'Indo-European:Uralic', 'Indo-European', 'unknown')
    """
    return ":".join(dict.fromkeys(_FAMILIES.get(tag.partition("-")[0].lower(), UNKNOWN) for tag in language.split(":")))
