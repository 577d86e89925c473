"""Right translations that write their numbers another way, and wrong ones that do not look wrong."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.translator.checks import fault_of
from services.translator.quantity_checks import quantity_fault

RIGHT = [
    ("I have a bachelor's degree.", "Saya lulusan S1."),
    ("I have a master's degree.", "Saya lulusan S-2."),
    ("I finished my S1 in 2019.", "Saya menyelesaikan S1 pada tahun 2019."),
    ("I moved in '98.", "Saya pindah pada tahun 1998."),
    ("I moved in 1998.", "Saya pindah pada tahun 98."),
    ("I was 100% sure.", "Saya sepenuhnya yakin."),
    ("We had 0 errors.", "Kami tidak punya kesalahan."),
    ("It cost 5 million rupiah.", "Biayanya Rp 5.000.000."),
    ("I saved 100,000 rupiah.", "Saya menabung 100 ribu rupiah."),
    ("We met at 3 pm.", "Kami bertemu pukul 15.00."),
    ("We met at 3 p.m. on Friday.", "Kami bertemu pada hari Jumat jam 3 sore."),
    ("The site had 10k users.", "Situs itu punya 10.000 pengguna."),
    ("I cut the costs by 50%.", "Saya memangkas biaya hingga setengahnya."),
    ("I was born on August 17, 1998.", "Saya lahir pada 17-08-1998."),
    ("I was born on 17/08/1998.", "Saya lahir pada tanggal 17 Agustus 1998."),
    ("Revenue grew to 2.5 million dollars.", "Pendapatan naik menjadi 2,5 juta dolar."),
    ("It took 1.5 years.", "Butuh satu setengah tahun."),
    ("It took a year and a half.", "Butuh 1,5 tahun."),
    ("It took two and a half hours.", "Butuh dua setengah jam."),
    ("I worked there for 18 months.", "Saya bekerja di sana selama satu setengah tahun."),
    ("We had twenty-five users.", "Kami punya 25 pengguna."),
    ("It was in nineteen ninety-eight.", "Itu pada tahun 1998."),
    ("Three quarters of the team left.", "75% dari tim itu pergi."),
    ("A third of them agreed.", "33% dari mereka setuju."),
    ("I came 3rd.", "Saya juara ke-3."),
    ("I came 3rd.", "Saya juara ketiga."),
    ("Half a million people saw it.", "Setengah juta orang melihatnya."),
    ("It costs 5.5 million rupiah.", "Harganya 5 juta 500 ribu rupiah."),
    ("Two hundred and five people came.", "Dua ratus lima orang datang."),
    ("Two hundred and five people came.", "205 orang datang."),
    ("I earn 5 million a month.", "Gaji saya 5 juta per bulan."),
    ("I earn 5 million a month.", "Gaji saya 5 juta sebulan."),
    ("I have 1 brother.", "Saya punya seorang saudara."),
    ("We worked 24/7.", "Kami bekerja 24 jam sehari, 7 hari seminggu."),
    ("It takes 90 minutes.", "Butuh satu setengah jam."),
    ("I answer within 24 hours.", "Saya menjawab dalam sehari."),
    ("I write a monthly report.", "Saya menulis laporan setiap bulan."),
    ("One day I quit.", "Suatu saat saya berhenti."),
    ("A couple of weeks later it worked.", "Beberapa minggu kemudian berhasil."),
    ("It was in May 2020.", "Itu pada Mei 2020."),
    ("I may leave in March.", "Saya mungkin pergi pada bulan Maret."),
    ("The 90s were good.", "Tahun 90-an itu bagus."),
    ("We use Python 3.11.7.", "Kami memakai Python 3.11.7."),
    ("It runs from 9 to 5 every weekday.", "Itu berjalan dari jam 9 sampai 5 setiap hari kerja."),
    ("I start at 9:30 am.", "Saya mulai pukul 09.30."),
    ("We closed at midnight.", "Kami tutup jam 12 malam."),
    ("It doubled to 200.", "Itu naik dua kali lipat menjadi 200."),
    ("I was there 2 nights.", "Saya di sana 2 malam."),
    ("I joined in the first month.", "Saya bergabung pada bulan pertama."),
    ("The budget was Rp 1.2 billion.", "Anggarannya Rp 1,2 miliar."),
    ("The budget was 1.2 billion rupiah.", "Anggarannya 1,2M rupiah."),
    ("He is 25 years old.", "Dia berusia 25 tahun."),
    (
        "We cut it from 18% to 6% in 3 months.",
        "Kami menurunkannya dari 18 persen menjadi 6 persen dalam 3 bulan.",
    ),
    ("It grew from 1,200 to 15,750 orders.", "Naik dari 1.200 menjadi 15.750 pesanan."),
    ("The bill was $1,234.56.", "Tagihannya 1.234,56 dolar."),
    (
        "I led 12 people for two years and three months.",
        "Saya memimpin 12 orang selama dua tahun tiga bulan.",
    ),
    ("We had 3-4 meetings a week.", "Kami rapat 3 sampai 4 kali seminggu."),
    ("In the last two years I learned a lot.", "Dalam dua tahun terakhir saya belajar banyak."),
    ("Last week I talked to him.", "Minggu lalu saya berbicara dengannya."),
    ("I gave a month's notice.", "Saya memberi tahu sebulan sebelumnya."),
    ("I have 5 years' experience.", "Saya punya pengalaman 5 tahun."),
    ("Half past three is fine.", "Jam setengah empat boleh."),
    ("We begin at 3:30.", "Kami mulai jam setengah empat."),
    ("Twenty percent left.", "20 persen keluar."),
    ("It was two point five million.", "Itu 2,5 juta."),
    ("About 1 in 4 users left.", "Sekitar satu dari empat pengguna pergi."),
    ("These days I work from home.", "Saat ini saya bekerja dari rumah."),
    ("I wake up at 5 every day.", "Saya bangun jam lima setiap hari."),
    ("On the second day it rained.", "Pada hari kedua hujan turun."),
    ("My salary is 7,5 million.", "Gaji saya 7,5 juta."),
    ("I was paid 150k per hour.", "Saya dibayar 150 ribu per jam."),
    ("I was paid 150k per hour.", "Saya dibayar Rp150.000 per jam."),
    ("We were a hundred people.", "Kami seratus orang."),
    ("We were 100 people.", "Kami seratus orang."),
    ("We sold 1,500 units.", "Kami menjual seribu lima ratus unit."),
    ("We sold 2 dozen.", "Kami menjual 24 buah."),
    ("It was 2 am in the morning.", "Saat itu jam 2 dini hari."),
    ("I studied for four years, 2015 to 2019.", "Saya kuliah empat tahun, dari 2015 sampai 2019."),
    ("I have a three-day course every two weeks.", "Saya ada kursus tiga hari setiap dua minggu."),
    ("I started at 8 in the morning.", "Saya mulai jam 8 pagi."),
    ("We opened from 8 am to 5 pm.", "Kami buka dari jam 8 pagi sampai jam 5 sore."),
    ("We opened from 8 am to 5 pm.", "Kami buka pukul 08.00–17.00."),
    ("I drove 300 km in 4 hours.", "Saya menyetir 300 km dalam 4 jam."),
    ("My GPA was 3.75 out of 4.", "IPK saya 3,75 dari 4."),
    ("My GPA was 3.75.", "IPK saya 3.75."),
    ("In Q3 2021 we shipped version 2.0.", "Pada kuartal ketiga 2021 kami merilis versi 2.0."),
    ("Sales rose twofold within a year.", "Penjualan naik dua kali lipat dalam setahun."),
    ("I handled 1,000 tickets a day.", "Saya menangani seribu tiket per hari."),
    ("I handled thousands of tickets.", "Saya menangani ribuan tiket."),
    ("We had around 200-300 customers daily.", "Kami punya sekitar 200 sampai 300 pelanggan setiap hari."),
    ("I was 1 of 5 people chosen.", "Saya salah satu dari lima orang yang dipilih."),
    ("The deadline was the 25th of December.", "Tenggatnya tanggal 25 Desember."),
    ("The deadline was 12/25/2020.", "Tenggatnya 25 Desember 2020."),
    ("It took one week instead of two.", "Butuh satu minggu, bukan dua."),
    ("It took half a day.", "Butuh setengah hari."),
    ("I did it in under an hour.", "Saya melakukannya dalam waktu kurang dari satu jam."),
    ("I did it in under an hour.", "Saya melakukannya kurang dari sejam."),
    ("Every quarter we met.", "Setiap tiga bulan kami bertemu."),
    ("Every quarter we met.", "Setiap kuartal kami bertemu."),
    ("On weekends I teach.", "Pada akhir pekan saya mengajar."),
    ("I teach every Sunday.", "Saya mengajar setiap Minggu."),
    ("I teach every Sunday for 2 weeks.", "Saya mengajar setiap hari Minggu selama 2 minggu."),
    ("Happy birthday, I said, 2 weeks later.", "Selamat ulang tahun, kata saya, 2 minggu kemudian."),
    ("At the end of the day, we won.", "Pada akhirnya kami menang."),
    ("In my second year I failed 2 courses.", "Pada tahun kedua saya gagal di 2 mata kuliah."),
    ("I studied 4 years, then worked 6 months.", "Saya kuliah empat tahun, lalu bekerja enam bulan."),
    ("He paid me fifty thousand rupiah per day.", "Dia membayar saya Rp50 ribu sehari."),
    ("He paid me fifty thousand.", "Dia membayar saya 50 ribu."),
    ("It was a 24-hour shop.", "Itu toko 24 jam."),
    ("I was there for a whole year.", "Saya di sana selama setahun penuh."),
    ("I was there for one full year.", "Saya di sana satu tahun penuh."),
    (
        "I worked for the company for over a decade.",
        "Saya bekerja di perusahaan itu lebih dari sepuluh tahun.",
    ),
    ("The meeting took 1 hour and 30 minutes.", "Rapat itu berlangsung satu setengah jam."),
    ("The meeting took 1.5 hours.", "Rapat itu berlangsung 90 menit."),
    ("I got up at 4:45 am.", "Saya bangun jam 4.45 pagi."),
    ("I got up at quarter to five.", "Saya bangun jam 04.45."),
    ("In 2019, there were 3 of us.", "Pada 2019, kami bertiga."),
    ("In 2019, the two of us began.", "Pada 2019, kami berdua mulai."),
    ("COVID-19 hit in March 2020.", "COVID-19 melanda pada Maret 2020."),
    ("We used ISO 9001 and 5S.", "Kami memakai ISO 9001 dan 5S."),
    ("I scored 95 on the test.", "Nilai ujian saya 95."),
    ("It has a 4.5 star rating.", "Peringkatnya 4,5 bintang."),
    ("We invested 250 million rupiah.", "Kami menginvestasikan Rp 250 juta."),
    ("We invested 250 million rupiah.", "Kami menginvestasikan Rp250.000.000,00."),
    ("We invested US$5k.", "Kami menginvestasikan 5 ribu dolar AS."),
    ("We invested US$5k.", "Kami menginvestasikan US$5.000."),
    ("One in three people.", "1 dari 3 orang."),
    ("Two-thirds of the users.", "Dua pertiga pengguna."),
    ("Two-thirds of the users.", "67% pengguna."),
    ("I was paid weekly, 500k.", "Saya dibayar mingguan, 500 ribu."),
    ("A year ago I quit.", "Setahun yang lalu saya berhenti."),
    ("Two days ago I quit.", "Dua hari yang lalu saya berhenti."),
    ("The next day I called.", "Keesokan harinya saya menelepon."),
    ("That same day I called twice.", "Hari itu juga saya menelepon dua kali."),
    ("Within 24 hours we had 50 replies.", "Dalam 24 jam kami mendapat 50 balasan."),
    ("Within a day we had fifty replies.", "Dalam sehari kami mendapat 50 balasan."),
    ("I have a 9-to-5 job.", "Saya punya pekerjaan 9 sampai 5."),
    ("May 5 was the date.", "Tanggalnya 5 Mei."),
    ("Maybe 20 percent.", "Mungkin 20%."),
    ("It went from zero to 10 users.", "Naik dari nol menjadi 10 pengguna."),
    ("I read 2 books a month.", "Saya membaca dua buku sebulan."),
    ("I called 10 times.", "Saya menelepon sepuluh kali."),
    ("10 times faster.", "10x lebih cepat."),
    ("Take 5 minutes.", "Ambil waktu lima menit."),
    ("Two million five hundred thousand rupiah.", "Rp 2.500.000."),
    ("The eighties and 1980s.", "Tahun delapan puluhan dan 1980-an."),
    ("Level 3 of 4.", "Tingkat 3 dari 4."),
    ("I have two kids, aged 3 and 5.", "Saya punya dua anak, umur 3 dan 5 tahun."),
    ("on the 1st of January 2020", "pada 1 Januari 2020"),
    ("It was $20 an hour.", "Itu 20 dolar per jam."),
    ("It was £20.", "Itu 20 pound."),
    ("About a hundred and twenty thousand people.", "Sekitar 120.000 orang."),
    ("About 120 thousand people.", "Sekitar seratus dua puluh ribu orang."),
    ("About 120 thousand people.", "Sekitar seratus dua puluh ribuan orang."),
    ("Seven hundred fifty thousand.", "750 ribu."),
    ("Three point five percent.", "3,5%."),
    ("Three point five percent.", "3.5 persen."),
    ("I stayed the night of the 31st.", "Saya menginap pada malam tanggal 31."),
    ("At 1 pm lunch.", "Jam 1 siang makan siang."),
    ("At 12 noon.", "Jam 12 siang."),
    ("At 7 in the evening.", "Jam 7 malam."),
    ("At 11 p.m.", "Jam 11 malam."),
    ("At 19:00.", "Jam 7 malam."),
    ("Since 7 o'clock.", "Sejak jam tujuh."),
    ("It took about two or three days.", "Butuh sekitar dua atau tiga hari."),
    ("It took two-three days.", "Butuh dua-tiga hari."),
    ("It took 2 to 3 days.", "Butuh 2-3 hari."),
    ("I managed a budget of one and a half billion.", "Saya mengelola anggaran satu setengah miliar."),
    ("I managed a budget of 1.5 billion.", "Saya mengelola anggaran satu setengah miliar."),
    ("I managed a budget of 1.5 billion.", "Saya mengelola anggaran 1,5 milyar."),
    ("I waited a few hours.", "Saya menunggu beberapa jam."),
    ("Years later I returned.", "Bertahun-tahun kemudian saya kembali."),
    ("For years I worked.", "Selama bertahun-tahun saya bekerja."),
    ("For days on end.", "Berhari-hari."),
    ("This month and next month.", "Bulan ini dan bulan depan."),
    ("Last night at 10.", "Tadi malam jam 10."),
    ("I have 2 years' and 6 months' experience.", "Saya berpengalaman 2,5 tahun."),
    ("I have two and a half years of experience.", "Saya berpengalaman 30 bulan."),
]
WRONG = [
    ("We finished within a week.", "Kami selesai dalam sebulan.", "span"),
    ("We finished within 3 days.", "Kami selesai dalam 3 minggu.", "span"),
    ("It took two weeks.", "Butuh tiga minggu.", "span"),
    ("I write a weekly report.", "Saya menulis laporan bulanan.", "span"),
    ("I waited for hours.", "Saya menunggu berhari-hari.", "span"),
    ("It cost 5 million rupiah.", "Biayanya 5 juta dolar.", "currency"),
    ("It cost 5 million rupiah.", "Biayanya Rp 5.000.", "number"),
    ("It cost 100 dollars.", "Biayanya 100.000 dolar.", "number"),
    ("It cost 100,000 rupiah.", "Biayanya 100 juta rupiah.", "number"),
    ("We met at 3 pm.", "Kami bertemu jam 3 pagi.", "number"),
    ("We met at 3 pm.", "Kami bertemu pukul 13.00.", "number"),
    ("The site had 10k users.", "Situs itu punya 10 pengguna.", "number"),
    ("I cut the costs by 50%.", "Saya memangkas biaya hingga sepertiganya.", "number"),
    ("I was born on August 17, 1998.", "Saya lahir pada 17-09-1998.", "number"),
    ("I was born in August.", "Saya lahir pada bulan September.", "month"),
    ("We met on Monday.", "Kami bertemu hari Selasa.", "week"),
    ("It took 2.5 hours.", "Butuh 25 jam.", "number"),
    ("I was there for a whole year.", "Saya di sana selama sebulan penuh.", "span"),
    ("I waited a few hours.", "Saya menunggu beberapa hari.", "span"),
    ("We managed one and a half billion.", "Kami mengelola satu setengah juta.", "number"),
    ("He paid me fifty thousand.", "Dia membayar saya 50 juta.", "number"),
    ("Within a day we had fifty replies.", "Dalam sehari kami mendapat 53 balasan.", "number"),
    ("I worked hard for the team.", "Saya bekerja keras selama 7 tahun.", "lacks"),
]


@pytest.mark.parametrize(("english", "indonesian"), RIGHT)
def test_a_number_written_another_way_is_kept(english: str, indonesian: str) -> None:
    assert fault_of(english, indonesian, "en", "id") is None
    assert fault_of(indonesian, english, "id", "en") is None


@pytest.mark.parametrize(("english", "indonesian", "fault"), WRONG)
def test_a_wrong_number_or_unit_is_named(english: str, indonesian: str, fault: str) -> None:
    assert fault in (quantity_fault(english, indonesian, "en", "id") or "")
    assert quantity_fault(indonesian, english, "id", "en") is not None


def test_where_a_languages_number_words_are_unknown_small_numbers_are_not_missed() -> None:
    assert quantity_fault("We were 5 people.", "我们有五个人。", "en", "zh") is None
    assert quantity_fault("It took 350 days.", "花了很多天。", "en", "zh") is not None


PIECES = (
    "1 5 10.000 1,5 ² ٣ 17-08-1998 3:30 pm a half and million juta setengah dua belas third quarter "
    "week sebulan % Rp k - . jam May setahun hari Senin point koma perempat tiga hundred ratus"
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from(PIECES.split()), max_size=12).map(" ".join), st.sampled_from(["en", "id", "de"])
)
def test_a_text_counts_what_it_counts_itself(pieces: list[str], language: str) -> None:
    text = " ".join(pieces)

    assert quantity_fault(text, text, language, language) is None


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60), st.text(max_size=60))
def test_no_text_breaks_the_check(source: str, translation: str) -> None:
    quantity_fault(source, translation, "en", "id")
