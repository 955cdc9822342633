"""The papers: what is printed on them, whatever names and lists they are given."""

import io
import random
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from pypdf import PdfReader

from courier_api.custody.papers import drawing
from courier_api.custody.papers.amounts import in_figures, in_words
from courier_api.custody.papers.contents import (
    AnyPaper,
    CitizenReceipt,
    Fees,
    HandoverRecord,
    HandSignature,
    KeySignature,
    MissingPaper,
    Paper,
    Side,
    SupplementSlip,
)
from courier_api.custody.papers.rendering import render

AT = datetime(2026, 11, 22, 3, 14, 15, tzinfo=UTC)
ADDRESS = "https://post.example/verify#" + str(random.Random(7).randrange(10**720, 10**721))
ERASED = "(đã xoá theo yêu cầu)"
INK = [[[10, 20, 0, 30], [40, 5, 16, 60], [70, 44, 32, 90]], [[80, 20, 300, 0]]]
COURIER = Side("courier", "Trần Văn Minh", "C-00417", "Bưu cục Hiến Nam")
KEY = KeySignature("C-00417", "3f2a91bc77d01e58")
DOCUMENTS = [Paper("Đơn đề nghị cấp đổi", 1, 0), Paper("Giấy uỷ quyền có chứng thực", 0, 2)]

RECEIPT = CitizenReceipt(
    kind="pickup",
    operator="Bưu điện tỉnh Hưng Yên",
    tracking_number="EH123456785VN",
    procedure="Cấp đổi Giấy chứng nhận quyền sử dụng đất",
    giver=Side("citizen", "Nguyễn Thị Hoà Phượng"),
    taker=COURIER,
    place="Số 12 đường Bãi Sậy, phường Phố Hiến",
    device_at=AT,
    server_at=AT + timedelta(minutes=3),
    documents=DOCUMENTS,
    fees=Fees(100_000, 30_500, 8_000, "BL-2611-000417"),
    seal_number="NS00001234",
    signatures=[HandSignature("Nguyễn Thị Hoà Phượng", "self", INK)],
    device=KEY,
    verify_address=ADDRESS,
)
RECORD = HandoverRecord(
    operator="Bưu điện tỉnh Hưng Yên",
    office="Bưu cục Hiến Nam",
    locality="Hưng Yên",
    tracking_number="EH123456785VN",
    manifest_number="BK-33-261122-004",
    dossier_code="000.00.31.H31-261122-0001",
    due_date=date(2026, 12, 14),
    procedure="Cấp đổi Giấy chứng nhận quyền sử dụng đất",
    applicant="Nguyễn Thị Hoà Phượng",
    giver=Side("office", "Lê Thị Thu Hường", "G-00032", "Bưu cục Hiến Nam"),
    taker=Side("agency", "Phạm Quốc Tuấn", "M-00108", "Trung tâm Phục vụ hành chính công"),
    place="Trung tâm Phục vụ hành chính công",
    device_at=AT,
    server_at=AT,
    documents=DOCUMENTS,
    remarks="Bì còn nguyên niêm phong.",
    giver_hand=HandSignature("Lê Thị Thu Hường", "self", INK),
    taker_key=KeySignature("M-00108", "77d01e583f2a91bc"),
    verify_address=ADDRESS,
)
SLIP = SupplementSlip(
    operator="Bưu điện tỉnh Hưng Yên",
    locality="Hưng Yên",
    tracking_number="EH123456785VN",
    procedure="Cấp đổi Giấy chứng nhận quyền sử dụng đất",
    citizen="Nguyễn Thị Hoà Phượng",
    courier=COURIER,
    place="Số 12 đường Bãi Sậy",
    device_at=AT,
    server_at=AT,
    missing=[MissingPaper("Bản sao căn cước có chứng thực", 0, 2, 0, 1)],
    reason="Bản sao thiếu mặt sau.",
    appointment=(AT + timedelta(days=2), AT + timedelta(days=2, hours=2)),
    device=KEY,
    verify_address=ADDRESS,
)
EACH = pytest.mark.parametrize("paper", [RECEIPT, RECORD, SLIP], ids=["receipt", "record", "slip"])


def opened(paper: AnyPaper) -> PdfReader:
    """The paper's PDF, to be read."""
    return PdfReader(io.BytesIO(render(paper)))


def words(paper: AnyPaper) -> str:
    """All that is printed, on one line."""
    return one_line(" ".join(page.extract_text() for page in opened(paper).pages))


def one_line(text: str) -> str:
    """Text without its line breaks."""
    return " ".join(text.replace("\u200b", "").split())


def test_receipt_says_what_was_collected() -> None:
    text = words(RECEIPT)
    for part in (
        "BIÊN NHẬN HỒ SƠ",
        "EH 123 456 785 VN",
        "Nguyễn Thị Hoà Phượng Công dân",
        "Trần Văn Minh Bưu tá, C-00417 · Bưu cục Hiến Nam",
        "22/11/2026 10:14 trên thiết bị 22/11/2026 10:17 tại máy chủ",
        "1 Đơn đề nghị cấp đổi 1 0",
        "2 Giấy uỷ quyền có chứng thực 0 2",
        "Cộng: 2 loại giấy tờ 1 2",
        "Lệ phí nhà nước 100.000 đ",
        "Cước bưu chính 30.500 đ",
        "Phí chuyển nộp lệ phí 8.000 đ",
        "Tổng cộng 138.500 đ Một trăm ba mươi tám nghìn năm trăm đồng",
        "BL-2611-000417",
        "NS00001234",
        "Người đứng tên hồ sơ",
        "bưu tá C-00417, mã khoá 3f2a 91bc 77d0 1e58",
        "trong 6 tháng",
        "Trang 1/1",
    ):
        assert part in text
    assert unicodedata.is_normalized("NFC", text)


def test_delivery_has_its_own_title_and_may_cost_nothing() -> None:
    text = words(replace(RECEIPT, kind="delivery", fees=Fees(0, 0, 0), seal_number=None))
    assert "PHIẾU PHÁT KẾT QUẢ" in text
    assert "Không thu khoản tiền nào." in text
    assert "niêm phong" not in text


def test_record_names_both_sides_and_how_they_signed() -> None:
    text = words(RECORD)
    for part in (
        "CỘNG HOÀ XÃ HỘI CHỦ NGHĨA VIỆT NAM",
        "Độc lập - Tự do - Hạnh phúc",
        "Hưng Yên, ngày 22 tháng 11 năm 2026",
        "BIÊN BẢN GIAO NHẬN HỒ SƠ Theo bảng kê số BK-33-261122-004",
        "000.00.31.H31-261122-0001",
        "Ngày hẹn trả 14/12/2026",
        "Lê Thị Thu Hường",
        "Phạm Quốc Tuấn",
        "Bì còn nguyên niêm phong.",
        "Đã ký số bằng khoá M-00108",
    ):
        assert part in text
    assert "khoá G-00032" not in text
    assert "000.00.31.H31-261122-0001" in opened(RECORD).pages[0].extract_text()


def test_slip_says_what_is_missing_and_when_we_come_again() -> None:
    text = words(SLIP)
    for part in (
        "PHIẾU YÊU CẦU BỔ SUNG HỒ SƠ",
        "1 Bản sao căn cước có chứng thực – 1 / 2",
        "10:14 – 12:14, ngày 24/11/2026",
        "Không ai được yêu cầu thêm giấy tờ ngoài danh mục đã công bố.",
        "Hồ sơ vẫn do Ông/Bà giữ",
    ):
        assert part in text
    assert "Bưu điện sẽ hẹn lại." in words(replace(SLIP, appointment=None))
    assert "22/11/2026 10:14 – 23/11/2026 06:14" in words(replace(SLIP, appointment=(AT, AT + timedelta(hours=20))))


@EACH
def test_names_are_never_markup(paper: AnyPaper) -> None:
    name = r'#panic("x") *b* _i_ $x^2$ "q" \ \u{41} @l <l> `c` //n /*n*/ = h ~ -- ... [k] {k} <b>&amp;'
    assert name in words(replace(paper, procedure=name))


@EACH
def test_odd_letters_are_printed_or_left_out(paper: AnyPaper) -> None:
    odd = replace(paper, procedure="Hoa\x00\u202e 漢 \U0001f600 \ud800 sen\n" + unicodedata.normalize("NFD", "Phượng"))
    assert "Phượng" in words(odd)


@EACH
def test_long_lists_break_over_pages(paper: AnyPaper) -> None:
    name = ("Bản sao có chứng thực văn bản thoả thuận của các thành viên " * 6)[:300]
    if isinstance(paper, SupplementSlip):
        long: AnyPaper = replace(paper, missing=[MissingPaper(f"Giấy {n}: {name}", 1, 1, 0, 0) for n in range(100)])
    else:
        long = replace(
            paper, documents=[Paper(f"Giấy {n}: {name}"[:300], 1, 1) for n in range(99)] + [Paper("X" * 300, 1, 1)]
        )
    pages = [one_line(page.extract_text()) for page in opened(long).pages]
    assert len(pages) > 5
    for n, text in enumerate(pages, 1):
        assert f"Trang {n}/{len(pages)}" in text
        assert "EH123456785VN" in text
        # The head of the list comes again wherever it goes on, up to the last page.
        assert ("Giấy" in text and "Tên giấy tờ" in text) or n == len(pages)
    assert sum(text.count(": Bản sao") for text in pages) >= 99


@EACH
def test_erased_persons_and_evidence_are_said_to_be_erased(paper: AnyPaper) -> None:
    nobody = Side("citizen", None)
    unsigned = HandSignature(None, "self", None)
    match paper:
        case CitizenReceipt():
            gone: AnyPaper = replace(paper, giver=nobody, documents=None, signatures=[unsigned])
            expected = 4
        case HandoverRecord():
            gone = replace(paper, giver=nobody, applicant=None, documents=None, giver_hand=unsigned)
            expected = 5
        case SupplementSlip():
            gone = replace(paper, citizen=None, courier=nobody)
            expected = 2
    assert words(gone).count(ERASED) == expected


@EACH
def test_no_code_where_there_is_nothing_to_check(paper: AnyPaper) -> None:
    (link,) = opened(paper).pages[-1]["/Annots"]
    assert link.get_object()["/A"]["/URI"] == ADDRESS
    without = opened(replace(paper, verify_address=None))
    assert "/Annots" not in without.pages[-1]
    assert "máy ảnh" not in without.pages[-1].extract_text()


@EACH
def test_pdf_is_tagged_named_and_keeps_the_machine_to_itself(paper: AnyPaper) -> None:
    pdf = opened(paper)
    assert pdf.metadata is not None
    assert "EH123456785VN" in str(pdf.metadata.title)
    assert str(pdf.root_object["/Lang"]).startswith("vi")
    assert pdf.root_object["/MarkInfo"]["/Marked"]
    assert len(pdf.pages) == 1
    fonts = {str(font["/BaseFont"]) for font in pdf.pages[0]["/Resources"]["/Font"].values()}
    assert all("BeVietnamPro" in font for font in fonts)
    content = render(paper)
    assert all(place not in content for place in (b"/work", b"/home", b"/tmp", b"site-packages", b".typ\n"))


def test_threads_print_what_one_alone_prints() -> None:
    papers = [replace(p, tracking_number=f"EH{n:09d}VN") for n in range(8) for p in (RECEIPT, RECORD, SLIP)]
    with ThreadPoolExecutor(4) as threads:
        printed = list(threads.map(render, papers))
    assert printed == [render(paper) for paper in papers]


def test_times_need_a_zone() -> None:
    with pytest.raises(ValueError, match="zone"):
        render(replace(RECEIPT, device_at=AT.replace(tzinfo=None)))


@pytest.mark.parametrize(
    "strokes",
    [
        [[[5, 5, 0, 0]]],
        [[[-(2**53), 2**53, 0, -4], [2**53, -(2**53), 9, 2**53]]],
        [[[7, 1, 0, 10], [7, 1, 5, 10], [7, 400, 9, 10]], []],
    ],
)
def test_any_strokes_stay_in_their_box(strokes: list[list[list[int]]]) -> None:
    drawn = drawing.signature(strokes)
    assert drawn is not None
    points = [point.split() for path in drawn.split('d="M')[1:] for point in path.split('"')[0].split("L")]
    assert points
    assert all(0 <= float(x) <= 600 and 0 <= float(y) <= 200 for x, y in points)
    assert words(replace(RECEIPT, signatures=[HandSignature("Chấm", "Con gái", strokes)])).count("Con gái") == 1


def test_no_stroke_is_no_drawing() -> None:
    assert drawing.signature([]) is None
    assert drawing.signature([[]]) is None


def test_code_packs_digits() -> None:
    assert 'viewBox="0 0 77 77"' in drawing.code(ADDRESS)
    assert "<svg" in drawing.code("https://post.example/verify")


@pytest.mark.parametrize(
    ("dong", "said"),
    [
        (0, "Không đồng"),
        (15, "Mười lăm đồng"),
        (21, "Hai mươi mốt đồng"),
        (10_005, "Mười nghìn không trăm linh năm đồng"),
        (36_000, "Ba mươi sáu nghìn đồng"),
        (104_024, "Một trăm linh bốn nghìn không trăm hai mươi tư đồng"),
        (1_001_011, "Một triệu không trăm linh một nghìn không trăm mười một đồng"),
        (2_000_000_055, "Hai tỷ không trăm năm mươi lăm đồng"),
    ],
)
def test_sums_in_words(dong: int, said: str) -> None:
    assert in_words(dong) == said
    assert in_figures(dong).replace(".", "") == str(dong)
