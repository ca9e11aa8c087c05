"""The code page of a file that is not UTF-8 is guessed from a few names."""

import pytest

from application.contacts.files.formats.code_pages import guess_code_page

WRITTEN = {
    "cp1252": "José Álvarez|Müller|François Lefèvre|João Conceição|Núñez|Zoë|Sørensen"
    "|Åsa Öberg|JOSÉ MUÑOZ|O\u2019Brien \u2013 \u201cPub\u201d|Größe",
    "cp1250": "Łukasz Żak|Zażółć gęślą jaźń|Dvořák|Jiří Řezník|Žižek|Gyöngyi Győző"
    "|Małgorzata Wiśniewska|Škoda Plzeň",
    "cp1251": "Иван Петров|Ромашка|Ян|Олексій Їжак|Ёлка",
    "mac_roman": "José Álvarez|Café Zoë|Müller Größe|João|Muñoz",
    "cp850": "José|João|Müller Größe|Núñez",
    "cp1254": "Çağlar Şahin|Gülşen Deniz",
    "cp1253": "Γιώργος Παπαδόπουλος|Ελένη",
    "cp1257": "Jānis Bērziņš|Žydrūnas Šiškauskas",
    "iso8859_2": "Zażółć gęślą jaźń|Łódź Śródmieście",
    "koi8_r": "Игорь Петров|Мария",
    "cp866": "Мария Иванова",
    "cp1255": "שלום כהן",
    "cp1256": "محمد علي",
    "cp932": "山田太郎|株式会社サクラ|田中さん",
    "gb18030": "张伟|王小明公司",
    "big5": "陳大文|王小明",
    "euc_kr": "김철수|이영희",
}
NAMES = {codec: names.split("|") for codec, names in WRITTEN.items()}


@pytest.mark.parametrize(
    ("codec", "name"),
    [(codec, name) for codec, names in NAMES.items() for name in names],
)
def test_one_name_is_enough_to_read_it_right(codec: str, name: str) -> None:
    line = f"{name},12 Main St,202-555-0101".encode(codec)
    assert (
        line.decode(guess_code_page([line]).codec) == f"{name},12 Main St,202-555-0101"
    )


@pytest.mark.parametrize("plain", ["", "Ada Lee", "Acme, Inc;x"])
@pytest.mark.parametrize("codec", NAMES)
def test_a_list_of_names_is_read_right(codec: str, plain: str) -> None:
    names = NAMES[codec]
    lines = [f"{name};{plain}".encode(codec) for name in names]
    page = guess_code_page(lines)
    assert [line.decode(page.codec).partition(";")[0] for line in lines] == names
