"""Tells whether a word with a full stop ends its sentence, or is an abbreviation, a degree or an initial.

English and Indonesian. Some abbreviations are words as well ("no.", "hal."), so what follows decides.
"""

from __future__ import annotations

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NEVER_LAST = _words(
    """mr. mrs. ms. dr. dra. drs. prof. ir. hj. st. vs. approx. e.g. i.e. cf. sdr. sdri. sdra. bpk. tn.
    ny. yth. pt. ud. jl. jln. gg. kec. kab. kel. prov. univ. rp. tgl. telp. tlp. a.n. u.p. d.a. jend."""
)
"""Something always follows these: a name, a place, an amount."""
BEFORE_NUMBER = _words("no. nos. nr. fig. vol. hlm. hal. pp. ch. sec. psl. rt. rw.")
"""Abbreviations only where a number follows; "no." and "hal." are words otherwise."""
NUMBERED = _words(
    """telepon telp telp. tlp. hp wa ktp rekening rek rek. urut induk polisi seri kk npwp nik id pegawai
    peserta"""
)
"""What an Indonesian "no." counts where no digit follows it."""
BEFORE_CAPITAL = _words("etc. inc. ltd. co. corp. jr. sr. a.m. p.m. dll. dsb. dst. dkk. tbk. wib. wita. wit.")
"""They end a sentence when the next word has a capital."""
BEFORE_OPENER = _words("u.s. u.k. cv. dept.")
"""They stand before names as well, so that a capital says little: the next word must open a sentence."""
DEGREE = re.compile(r"[a-z]{1,3}\.(?:(?!(?:js|ts|py|net|io|ai|com|org)\.)[a-z]{1,5}\.)+")
"""`S.T.`, `M.Kom.`, `Ph.D.`, `B.Sc.` and other letters with inner full stops. `Vue.js.` is not one."""
INITIAL = re.compile(r"[a-z]\.")
OPENERS = _words(
    """i we he she it they you my our his her their its your this that these those the a an in on at by
    for from with to after before when while then so and but or because if since although however finally
    also later there here what who how why as during until once now today yesterday last next first some
    many most every all both no yes not maybe i'm i've i'd we're we've it's that's they're saya aku kami
    kita dia ia mereka beliau anda itu ini hal lalu kemudian setelah sebelum sesudah ketika saat waktu
    pada di dari ke untuk dengan dan tapi tetapi namun karena jadi akhirnya sejak selama jika kalau bila
    sehingga maka selain sekarang kini dulu awalnya pertama terakhir akibatnya hasilnya sementara tidak ya
    semua setiap banyak beberapa seperti menurut dalam oleh meski meskipun walaupun juga"""
)
"""Words that open sentences and begin no name."""
END = re.compile(r"[.?!…。！？][\"'”’)\]]*$")
AROUND = "\"'“”‘’()[]"


def ends_sentence(text: str, following: str) -> bool:
    """Tell whether a sentence ends after a word.

    Args:
        text: The word with its punctuation.
        following: The word after it.
    """
    if not END.search(text):
        return False
    word, after = text.lower().strip(AROUND), following.strip(AROUND)
    if word in NEVER_LAST:
        return False
    if word in BEFORE_NUMBER:
        return not (after[:1].isdigit() or after.lower().rstrip(",") in NUMBERED)
    if word in BEFORE_CAPITAL:
        return after[:1].isupper()
    if word in BEFORE_OPENER or DEGREE.fullmatch(word) or INITIAL.fullmatch(word):
        return after[:1].isupper() and after.lower().rstrip(",") in OPENERS
    # "3." before "5 million" is a decimal that the transcriber tore apart.
    return not (re.fullmatch(r"\d+\.", word) and after[:1].isdigit())
