"""What people read: a sentence for each error code and each line of a timeline, in Vietnamese and English."""

from collections import defaultdict

# code: (Vietnamese, English). {name} is filled in from the error's values.
TEXTS: dict[str, tuple[str, str]] = {
    "fault": (
        "Hệ thống gặp lỗi. Xin thử lại sau ít phút.",
        "Something broke on our side. Please try again in a few minutes.",
    ),
    "bad_request": ("Yêu cầu không hợp lệ.", "The request cannot be understood."),
    "bad_fields": ("Có trường không hợp lệ.", "Some fields are wrong."),
    "bad_value": ("Giá trị không hợp lệ.", "The value is wrong."),
    "bad_json": ("Nội dung gửi lên không phải JSON hợp lệ.", "The body is not valid JSON."),
    "bad_text": ("Có ký tự không dùng được.", "This holds characters that cannot be kept."),
    "bad_time": ("Thời điểm nằm ngoài khoảng cho phép.", "This time or day is too far away."),
    "field_missing": ("Thiếu trường này.", "This field is missing."),
    "field_null": ("Trường này không được để trống.", "This may not be null."),
    "unknown_field": ("Không có trường này.", "There is no such field."),
    "not_one_of": ("Phải là một trong: {choices}.", "Must be one of: {choices}."),
    "out_of_range": ("Phải từ {least} đến {most}.", "Must be from {least} to {most}."),
    "wrong_length": ("Độ dài phải từ {least} đến {most}.", "The length must be from {least} to {most}."),
    "wrong_form": ("Không đúng dạng.", "This does not have the right form."),
    "wrong_type": ("Sai kiểu dữ liệu.", "This is not of the right type."),
    "method_not_allowed": ("Địa chỉ này không nhận phương thức đó.", "This address does not take that method."),
    "too_large": ("Yêu cầu quá lớn.", "The request is too large."),
    "conflict": ("Dữ liệu vừa được người khác thay đổi.", "Someone else has just changed this."),
    "not_found": ("Không tìm thấy.", "Not found."),
    "not_signed_in": ("Xin đăng nhập.", "Please sign in."),
    "wrong_role": ("Phần này dành cho vai trò khác ({role}).", "This part is for another role ({role})."),
    "role_not_granted": ("Số điện thoại này không có vai trò đó.", "This phone number does not hold that role."),
    "posted_nowhere": ("Tài khoản chưa được gán nơi làm việc.", "You are not posted to any office yet."),
    "stale": ("Dữ liệu đã thay đổi, xin tải lại.", "This has changed since you read it: read it again."),
    "if_match_missing": ("Thiếu tiêu đề If-Match.", "Send If-Match with the ETag you were shown."),
    "idempotency_key_missing": (
        "Thiếu tiêu đề Idempotency-Key (8 đến 100 ký tự).",
        "Send an Idempotency-Key of 8 to 100 characters.",
    ),
    "idempotency_key_reused": (
        "Khoá này đã dùng cho một yêu cầu khác.",
        "This Idempotency-Key was used for another request.",
    ),
    "request_running": ("Yêu cầu đầu tiên còn đang xử lý.", "The first request with this key is still running."),
    "too_many_requests": ("Quá nhiều yêu cầu, xin chờ.", "Too many requests, please wait."),
    "too_many_codes": ("Đã gửi quá nhiều mã, xin chờ.", "Too many codes were sent to this phone, please wait."),
    "codes_stopped": ("Tạm dừng gửi mã, xin thử lại sau.", "Sending codes is stopped for now, please try later."),
    "no_sms_sender": ("Chưa thiết lập cổng gửi tin nhắn.", "No message sender is set up."),
    "wrong_code": ("Mã không đúng hoặc đã hết hạn.", "The code is wrong or has run out."),
    "role_needs_no_grant": ("Vai trò người dân không cần cấp.", "The citizen's role is not granted."),
    "bad_phone": ("Số điện thoại không hợp lệ.", "This is not a valid phone number."),
    "bad_coordinates": ("Toạ độ không hợp lệ.", "These are not coordinates."),
    "wrong_state": (
        "Không thể làm việc này khi đang ở trạng thái “{state}”.",
        "This cannot be done in the state “{state}”.",
    ),
    "consent_missing": (
        "Cần đồng ý xử lý dữ liệu cá nhân để nhận chuyển hồ sơ.",
        "Consent is needed to carry the dossier.",
    ),
    "commune_has_no_office": ("Xã, phường này chưa có bưu cục phục vụ.", "No post office serves this commune yet."),
    "window_missing": ("Cần chọn khung giờ thu gom.", "Choose a time window for the pickup."),
    "window_not_for_return": (
        "Chỉ trả kết quả thì không có khung giờ thu gom.",
        "A return-only service has no pickup window.",
    ),
    "documents_not_for_return": (
        "Chỉ trả kết quả thì không có giấy tờ thu gom.",
        "A return-only service collects no documents.",
    ),
    "window_in_the_past": ("Khung giờ đã qua.", "The window begins in the past."),
    "window_too_short": ("Khung giờ phải dài ít nhất 30 phút.", "The window must be 30 minutes or longer."),
    "window_too_far": ("Chỉ nhận đặt trước tối đa 30 ngày.", "Bookings reach 30 days ahead at most."),
    "window_over_midnight": ("Khung giờ phải nằm trong một ngày.", "The window must lie within one day."),
    "time_without_zone": ("Thời điểm phải có múi giờ.", "Times need an offset from UTC."),
    "no_tariff": ("Dịch vụ này chưa có giá cước.", "There is no tariff for this service yet."),
    "tariff_not_later": ("Giá mới phải có hiệu lực sau giá cũ.", "A new tariff must begin after the present one."),
    "number_range_overlaps": ("Dải số trùng với dải đã có.", "The range overlaps one that is there."),
    "tracking_numbers_used_up": ("Đã hết số vận đơn.", "The tracking numbers are used up."),
    "not_on_checklist": ("Giấy tờ này không có trong thành phần hồ sơ.", "This paper is not on the checklist."),
    "given_twice": ("Bị lặp lại.", "Given twice."),
    "count_is_zero": ("Số lượng phải lớn hơn 0.", "The count is zero."),
    "mandatory_document_missing": ("Thiếu giấy tờ bắt buộc.", "A mandatory paper is missing."),
    "paper_missing": (
        "Thiếu bản chính hoặc bản sao so với thành phần hồ sơ.",
        "Originals or copies are missing against the checklist.",
    ),
    "documents_do_not_match": ("Danh mục giấy tờ không khớp.", "The list of papers does not match."),
    "line_not_counted": ("Còn giấy tờ chưa được đếm.", "A paper on the list was not counted."),
    "not_on_list": ("Không có trong danh mục của lần giao trước.", "Not on the list of the last handover."),
    "count_differs": ("Số lượng khác với lần giao trước.", "The count differs from the last handover."),
    "job_already_open": ("Chặng này đang có một yêu cầu chưa xong.", "This leg has an open job already."),
    "job_closed": ("Công việc này đã kết thúc.", "This job has ended."),
    "day_too_far": ("Chỉ lập kế hoạch trước tối đa 30 ngày.", "Plans reach 30 days ahead at most."),
    "window_outside_hours": (
        "Khung giờ phải có ít nhất 30 phút trong 07:20–11:00 hoặc 13:30–16:30.",
        "The window must hold 30 minutes of 07:20-11:00 or 13:30-16:30.",
    ),
    "not_at_the_door": (
        "Chưa đến nơi thì chỉ báo được lý do đường sá, an toàn hoặc hẹn lại.",
        "Away from the door only a closed road, danger or a postponement can be reported.",
    ),
    "another_round_started": ("Tuyến trước chưa kết thúc.", "Another of your rounds is not finished."),
    "shift_too_long": ("Ca dài nhất 24 giờ.", "A shift is 24 hours at most."),
    "shift_in_the_past": ("Ca đã qua.", "The shift is over."),
    "day_in_the_past": ("Buổi này đã qua.", "This half-day is over."),
    "plan_running": ("Đang lập một kế hoạch, xin thử lại khi xong.", "A plan is under way: ask again when it is done."),
    "plan_not_done": ("Kế hoạch chưa xong.", "The plan is not done."),
    "shift_overlaps": ("Ca làm việc trùng với ca khác của bưu tá.", "The shift overlaps another of this courier."),
    "shift_ends_before_start": ("Ca phải kết thúc sau khi bắt đầu.", "A shift ends after it begins."),
    "not_a_courier": ("Người này không phải bưu tá.", "This person is not a courier."),
    "nothing_to_close": ("Hãy vẽ một vùng hoặc chọn đường.", "Draw an area or name a road."),
    "not_a_polygon": ("Vùng này không hợp lệ.", "This is not a valid area."),
    "ends_before_it_starts": ("Thời điểm kết thúc phải ở sau.", "The end must come later."),
    "closure_over": ("Đường này đã mở lại.", "This road is open again."),
    "move_breaks_round": ("Không chuyển được: {detail}", "The move breaks a rule: {detail}"),
    "round_under_way": ("Tuyến đã khởi hành hoặc điểm dừng đã xong.", "The round is under way or the stop has ended."),
    "round_of_another_office": (
        "Tuyến thuộc bưu cục, ngày hoặc buổi khác.",
        "The round belongs to another office, day or half-day.",
    ),
    "no_such_position": ("Không có vị trí này.", "There is no such position."),
    "round_not_started": ("Tuyến chưa khởi hành.", "The round is not started."),
    "stops_left": ("Còn {count} điểm dừng chưa xong.", "{count} stops have no end yet."),
    "stop_cancelled": ("Điểm dừng đã bị huỷ.", "The stop is cancelled."),
    "stop_not_ended": (
        "Điểm dừng của bưu gửi {tracking_number} chưa kết thúc.",
        "The stop of {tracking_number} has not ended.",
    ),
    "items_not_loaded": (
        "Còn {count} bưu gửi chưa nhận tại bưu cục: {tracking_numbers}",
        "{count} items are not loaded yet: {tracking_numbers}",
    ),
    "not_the_holder": (
        "Người giao hiện không giữ bưu gửi {tracking_number}.",
        "The giver does not hold {tracking_number} now.",
    ),
    "not_with_a_courier": (
        "Bưu gửi {tracking_number} hiện không do bưu tá giữ.",
        "{tracking_number} is not with a courier now.",
    ),
    "not_in_that_round": (
        "Bưu gửi {tracking_number} không thuộc tuyến của bưu tá này.",
        "{tracking_number} is not in a round of that courier.",
    ),
    "not_for_that_agency": (
        "Bưu gửi {tracking_number} không gửi tới cơ quan này.",
        "{tracking_number} is not for that agency.",
    ),
    "no_such_centre": ("Không có bộ phận một cửa này.", "There is no such one-stop unit."),
    "no_such_clerk": (
        "Người nhận không phải giao dịch viên của bưu cục này.",
        "The receiver is no clerk of this post office.",
    ),
    "item_on_another_manifest": ("Có bưu gửi đã nằm trong bảng kê khác.", "An item waits on another manifest."),
    "line_answered": ("Dòng này đã được trả lời.", "This line is answered already."),
    "bad_dossier_code": (
        "Mã hồ sơ sai dạng, ví dụ 000.00.31.H31-200619-0001.",
        "Not a dossier code, e.g. 000.00.31.H31-200619-0001.",
    ),
    "due_date_past": ("Ngày hẹn trả đã qua.", "The due date is in the past."),
    "reason_missing": ("Cần nêu lý do.", "Give a reason."),
    "handover_id_reused": (
        "Mã lần giao này đã dùng với nội dung khác.",
        "This handover id was used with other content.",
    ),
    "requirements_missing": ("Chưa đủ điều kiện bàn giao.", "Something that this handover needs is missing."),
    "signature_missing": ("Thiếu chữ ký.", "The signature is missing."),
    "signature_empty": ("Chữ ký không có nét nào.", "The signature has no stroke."),
    "identity_missing": ("Chưa kiểm tra giấy tờ tuỳ thân.", "The identity was not checked."),
    "seal_missing": ("Thiếu số niêm phong.", "The seal number is missing."),
    "receiver_missing": ("Thiếu loại người nhận.", "Say who received it."),
    "receiver_name_missing": ("Thiếu tên người nhận thay.", "The receiver's name is missing."),
    "authorization_missing": (
        "Thiếu giấy uỷ quyền của người nhận thay.",
        "The receiver's written authorisation is missing.",
    ),
    "only_in_person": ("Thủ tục này chỉ giao tận tay người đứng tên.", "This may be handed to the applicant only."),
    "fee_differs": ("Số tiền phải thu là {fee} đồng.", "The sum to collect is {fee} đồng."),
    "bad_tracking_number": (
        "Mã vận đơn không đúng (ví dụ EH123456785VN).",
        "This is not a tracking number (e.g. EH123456785VN).",
    ),
    "outside_province": ("Điểm này nằm ngoài địa bàn phục vụ.", "This point is outside the area that we serve."),
    "no_office": ("Chưa có bưu cục nào.", "There is no post office yet."),
    "no_centre": (
        "Không có bộ phận một cửa cho xã và cấp này.",
        "No one-stop unit receives for this commune and level.",
    ),
    "no_such_procedure": ("Không có thủ tục này.", "There is no such procedure."),
    "not_by_post": ("Thủ tục này không gửi theo cách đó qua bưu chính.", "This procedure may not go that way by post."),
    "not_bookable": ("Thủ tục chưa đủ thông tin để đặt dịch vụ.", "The procedure is not complete enough to book."),
    "bad_working_days": ("Số ngày làm việc không hợp lệ.", "The number of working days is not valid."),
    "person_is_staff": ("Người này còn giữ vai trò nhân viên.", "This person still holds a role: dismiss first."),
    "operations_under_way": ("Còn thao tác chưa xử lý xong.", "Operations about this person are still under way."),
    "case_open": ("Còn việc chờ điều phối quyết định.", "A case about this person waits for a dispatcher."),
    "dossier_under_way": ("Còn hồ sơ chưa xong ({state}).", "A dossier is still under way ({state})."),
    "no_operator_key": (
        "Chưa có khoá của đơn vị vận hành.",
        "There is no operator key yet (scripts/operate keys make).",
    ),
    "keys_of_another_ledger": (
        "Thư mục khoá {folder} không có khoá đã ký sổ cái này.",
        "The folder {folder} does not hold the key that signed this ledger: restore it from your backup.",
    ),
    "key_wrong_curve": ("Không phải khoá P-256.", "This is not a P-256 key."),
    "role_signs_nothing": ("Vai trò này không ký số.", "This role signs nothing."),
    "key_of_another": ("Khoá này của người khác hoặc vai trò khác.", "This key belongs to another person or role."),
    "no_backup_key": (
        "Chưa có khoá sao lưu của đơn vị vận hành.",
        "There is no private backup key here (backup.key in OPERATOR_KEYS; scripts/operate keys make).",
    ),
    "backup_not_one": ("Tệp này không phải là bản sao lưu của ứng dụng.", "This is no backup of the couriers' app."),
    "backup_of_other_version": (
        "Bản sao lưu này theo một phiên bản khác.",
        "This backup is of another version than is read here.",
    ),
    "backup_for_another": (
        "Bản sao lưu này được niêm cho khoá khác: của đơn vị khác, hoặc khoá đã mất.",
        "This backup is sealed to a key that is not here: another operator's, or one that was lost.",
    ),
    "backup_changed": ("Bản sao lưu đã bị thay đổi hoặc hỏng.", "This backup has been changed, or is damaged."),
    "backup_out_of_order": (
        "Các phần của bản sao lưu không đúng thứ tự hoặc bị thiếu.",
        "Parts of this backup are missing or stand in another order.",
    ),
    "backup_cut_off": (
        "Bản sao lưu bị cắt mất phần cuối: hãy xuất hoặc chép lại.",
        "This backup is cut off: export or copy it again.",
    ),
    "backup_goes_on": ("Có dữ liệu lạ sau phần cuối bản sao lưu.", "Something stands behind the end of this backup."),
    "backup_malformed": (
        "Bản sao lưu mở được nhưng nội dung sai dạng.",
        "This backup opens, and what is in it has a wrong form.",
    ),
    "backup_device_unknown": (
        "Không biết thiết bị {kid} của bản sao lưu này.",
        "The device {kid} of this backup is not a courier's here.",
    ),
    "key_unknown": ("Không biết khoá đã ký.", "The key that signed is not known here."),
    "key_revoked": ("Khoá này đã bị thu hồi.", "This key is revoked: sign in again for a new one."),
    "key_quarantined": (
        "Khoá này bị khoá lại vì có hai thiết bị cùng dùng.",
        "This key is shut away: two devices signed with it.",
    ),
    "key_cloned": (
        "Hai nội dung khác nhau cùng một số đếm của thiết bị: khoá đã bị sao chép.",
        "Two contents with one counter of the device: its key was copied.",
    ),
    "certificate_expired": (
        "Chứng thư của thiết bị đã hết hạn, xin đăng nhập lại.",
        "The device's certificate has run out: sign in again.",
    ),
    "signature_wrong": ("Chữ ký số không đúng.", "The signature does not hold."),
    "signature_high_s": (
        "Chữ ký số không ở dạng chuẩn (s lớn).",
        "The signature has the higher of its two values of s.",
    ),
    "signed_malformed": ("Phần ký số không đọc được.", "What was signed cannot be read: base64 is expected."),
    "core_malformed": ("Phần lõi của sự kiện sai dạng.", "The core does not have the right form."),
    "core_of_other_event": ("Phần lõi không thuộc sự kiện này.", "The core is not about this event."),
    "core_differs": ("Phần lõi khác với sự kiện.", "The core says something else than the event."),
    "kind_not_signed_here": ("Vai trò này không ký loại sự kiện đó.", "This role does not sign events of that kind."),
    "id_of_another_key": ("Mã sự kiện không thuộc khoá đã ký.", "The event's id does not carry the mark of its key."),
    "counter_out_of_range": ("Số đếm của thiết bị ngoài phạm vi.", "The device's counter is out of range."),
    "event_unknown_field": ("Sự kiện có trường không được phép.", "The event holds a field that it may not hold."),
    "event_not_plain": (
        "Sự kiện chỉ được chứa mã, số và thời gian.",
        "An event holds codes, numbers and times only; names and sentences stand beside it.",
    ),
    "bytes_missing": ("Nội dung đã bị xoá.", "The bytes of this operation are gone."),
    "operation_not_waiting": (
        "Thao tác này không còn chờ ({state}).",
        "This does not wait any more ({state}).",
    ),
    "evidence_missing": (
        "Ảnh hoặc chữ ký tay chưa được gửi lên.",
        "Evidence that was signed for never came.",
    ),
    "id_differs": ("Mã thao tác khác với mã sự kiện.", "The operation's id is not that of its event."),
    "id_reused": (
        "Mã này đã dùng với nội dung khác; cả hai đều được giữ.",
        "This id was used with other bytes; both are kept.",
    ),
    "event_too_large": ("Sự kiện quá lớn.", "The event is too large."),
    "event_not_json": ("Sự kiện không phải JSON hợp lệ.", "The event is not valid JSON."),
    "event_not_canonical": ("Sự kiện không ở dạng chuẩn RFC 8785.", "The event is not in canonical form (RFC 8785)."),
    "event_not_nfc": ("Chữ trong sự kiện chưa chuẩn hoá NFC.", "A text in the event is not in NFC."),
    "event_number_too_large": ("Số nguyên trong sự kiện quá lớn.", "An integer in the event is 2^53 or more."),
    "event_has_float": ("Sự kiện có số thập phân.", "The event holds a number that is no integer."),
    "event_version": ("Phiên bản sự kiện này chưa được hỗ trợ.", "This version of events is not known here."),
    "event_malformed": ("Sự kiện thiếu hoặc sai trường.", "A field of the event is missing or wrong."),
    "event_differs": (
        "Sự kiện đã ký khác với yêu cầu ở “{field}”.",
        "The signed event differs from the request in “{field}”.",
    ),
    "leg_differs": ("Bưu gửi đang ở chặng {leg}.", "The item stands before leg {leg}."),
    "counter_reused": ("Số đếm của thiết bị đã dùng.", "This counter of the device was used before."),
    "counter_gap": ("Số đếm của thiết bị phải là {expected}.", "The device's counter must be {expected} now."),
    "chain_broken": (
        "Sự kiện không nối tiếp sự kiện trước của thiết bị.",
        "The event does not follow on the device's last one.",
    ),
    "place_missing": (
        "Thiếu vị trí: chỉ được bỏ qua khi máy không có tín hiệu định vị.",
        "The place is missing: only a phone without a signal may leave it out.",
    ),
    "no_such_version": (
        "Tuyến chưa có phiên bản này; mới nhất là {version}.",
        "The round has no such version; the newest is {version}.",
    ),
    "recalled_missing": ("Chưa thu lại đủ bản gốc cũ: {name}.", "The old original is not taken back: {name}."),
    "nothing_to_recall": (
        "Giấy này không phải thu lại, hoặc không nhiều bản như vậy.",
        "This is not to be taken back, or not so many of it.",
    ),
    "extra_not_here": (
        "Giấy tờ ngoài danh mục chỉ nhận khi thu gom.",
        "Papers beyond the checklist go along at a pickup only.",
    ),
    "clerk_signature_missing": ("Thiếu chữ ký của giao dịch viên.", "The clerk's signature is missing."),
    "no_such_office": ("Không có bưu cục này.", "There is no such post office."),
    "not_your_office": (
        "Đây không phải bưu cục của bưu tá.",
        "This is not the courier's own post office.",
    ),
    "no_such_voucher": (
        "Có lần thu tiền không phải của bưu tá này.",
        "A voucher is not there, or not this courier's.",
    ),
    "voucher_settled": ("Biên lai {number} đã nộp tiền rồi.", "Voucher {number} was settled already."),
    "settlement_differs": (
        "Tổng các biên lai là {sum} đồng.",
        "The vouchers come to {sum} đồng.",
    ),
    "nothing_to_settle": ("Không có gì để nộp.", "There is nothing to settle."),
    "nothing_recalled": (
        "Lần phát này bưu tá không thu lại bản gốc nào.",
        "This courier took no original back at that delivery.",
    ),
    "recalled_settled": ("Bản gốc thu lại đã nộp rồi.", "These originals were given in already."),
    "no_such_event": (
        "Bưu tá không ký sự kiện nào như vậy.",
        "The courier has signed no such event.",
    ),
    "wrong_count": ("Bưu tá báo đã đếm sai giấy tờ.", "The courier says that papers were miscounted."),
    "wrong_person": ("Bưu tá báo đã ghi sai người.", "The courier says that the wrong person was recorded."),
    "wrong_amount": ("Bưu tá báo đã ghi sai số tiền.", "The courier says that the sum is wrong."),
    "wrong_seal": ("Bưu tá báo đã ghi sai số niêm phong.", "The courier says that the seal's number is wrong."),
    "wrong_reason": ("Bưu tá báo đã chọn sai lý do.", "The courier says that the reason is wrong."),
    "other": ("Bưu tá đề nghị xem lại, xem ghi chú.", "The courier asks to look at it again; see his note."),
    "not_a_couriers_event": ("Bưu tá không ký loại sự kiện này.", "Couriers do not sign events of this kind."),
    "operation_missing": (
        "Thiếu một thao tác trước đó của thiết bị.",
        "An earlier operation of this device never came.",
    ),
    "operation_not_parked": ("Thao tác này không chờ quyết định.", "This operation does not wait for a decision."),
    "nothing_to_record": (
        "Loại thao tác này không ghi cưỡng được.",
        "An operation of this kind cannot be recorded by force.",
    ),
    "case_decided": ("Việc này đã quyết định: {decision}.", "This case was decided already: {decision}."),
    "no_such_decision": ("Chỉ có thể chọn: {choices}.", "What can be decided here: {choices}."),
    "evidence_differs": ("Tệp gửi lên khác với điều đã ký.", "What was uploaded is not what was signed."),
    "upload_too_large": ("Tệp quá lớn: tối đa {most} byte.", "The file is too large: {most} bytes at most."),
    "too_many_uploads": ("Quá nhiều tệp đang gửi dở.", "Too many uploads are unfinished."),
    "upload_offset": ("Phải gửi tiếp từ byte {offset}.", "Go on from byte {offset}."),
    "upload_complete": ("Tệp đã gửi xong.", "The upload is complete."),
    "tus_version": ("Cần Tus-Resumable: 1.0.0.", "Send Tus-Resumable: 1.0.0."),
    "image_unreadable": ("Ảnh không đọc được.", "The picture cannot be read."),
    "image_too_large": ("Ảnh quá lớn (tối đa 25 triệu điểm ảnh).", "The picture is too large (25 megapixels at most)."),
    "image_too_slow": ("Ảnh xử lý quá lâu.", "The picture takes too long to read."),
    "cosignature_wrong": ("Chữ ký chứng kiến không đúng.", "The cosignature does not hold, or its witness is unknown."),
    "checkpoint_unknown": ("Không có mốc sổ cái này.", "This is not a checkpoint of ours."),
    "code_or_phone": ("Cần 4 số cuối điện thoại.", "The last four digits of the phone are needed."),
}

# kind: (Vietnamese, English) for the lines of a timeline.
EVENTS: dict[str, tuple[str, str]] = {
    "submitted": ("Đã tiếp nhận yêu cầu, mã vận đơn {tracking_number}", "Booked, tracking number {tracking_number}"),
    "cancelled": ("Đã huỷ theo yêu cầu", "Cancelled at your request"),
    "pickup_planned": ("Bưu tá dự kiến đến thu gom lúc {expected}", "Pickup expected at {expected}"),
    "delivery_planned": ("Bưu tá dự kiến đến phát lúc {expected}", "Delivery expected at {expected}"),
    "collected": ("Bưu tá đã nhận hồ sơ, niêm phong {seal_number}", "Collected by the courier, seal {seal_number}"),
    "pickup_failed": ("Chưa thu gom được ({reason})", "Pickup failed ({reason})"),
    "delivery_failed": ("Chưa phát được ({reason})", "Delivery failed ({reason})"),
    "at_office": ("Hồ sơ đã về {place}", "At {place}"),
    "back_at_office": ("Đã quay lại {place}", "Back at {place}"),
    "handed_over": ("Đang chuyển tới {place}", "On the way to {place}"),
    "received": (
        "{place} đã tiếp nhận, mã {code}, hẹn trả {due_date}",
        "Received by {place}, code {code}, due {due_date}",
    ),
    "not_received": (
        "{place} chưa tiếp nhận, lý do ghi trong hồ sơ của bạn",
        "Not accepted by {place}; your dossier says why",
    ),
    "result_ready": (
        "Kết quả đã về {place}, mã vận đơn {tracking_number}",
        "The result is at {place}, tracking number {tracking_number}",
    ),
    "out_for_delivery": ("Bưu tá đang đi phát từ {place}", "Out for delivery from {place}"),
    "visit_withdrawn": (
        "Chuyến đã báo không đi được, bưu điện sẽ hẹn lại",
        "The announced visit cannot take place; a new time follows",
    ),
    "delivered": ("Đã phát kết quả", "The result is delivered"),
    "returned": ("Đã trả lại hồ sơ", "The papers are returned"),
}

# Words inside the lines above.
WORDS: dict[str, tuple[str, str]] = {
    "not_home": ("không có người ở nhà", "nobody at home"),
    "wrong_address": ("sai địa chỉ", "wrong address"),
    "wrong_phone": ("sai số điện thoại", "wrong phone number"),
    "missing_document": ("thiếu giấy tờ", "a paper is missing"),
    "identity_not_shown": ("không xuất trình giấy tờ tuỳ thân", "no identity shown"),
    "receiver_not_authorized": ("người nhận không được uỷ quyền", "receiver not authorised"),
    "refused": ("người nhận từ chối", "refused"),
    "postponed": ("hẹn lại", "postponed"),
    "unsafe": ("không an toàn", "unsafe"),
    "road_closed": ("đường bị chặn", "road closed"),
    "out_of_time": ("hết giờ làm việc", "the working day was over"),
    "vehicle_broken": ("hỏng xe", "the motorbike broke down"),
}


def known(code: str) -> bool:
    """Whether there is a sentence for a code."""
    return code in TEXTS


def say(code: str, language: str, **values: object) -> str:
    """The sentence for an error code in `vi` or `en`."""
    return _fill(TEXTS.get(code, TEXTS["bad_request"]), language, values)


def tell(kind: str, language: str, detail: dict[str, object]) -> str:
    """A line of a timeline in `vi` or `en`."""
    words = {k: _fill(WORDS[v], language, {}) if isinstance(v, str) and v in WORDS else v for k, v in detail.items()}
    return _fill(EVENTS[kind], language, words)


def _fill(texts: tuple[str, str], language: str, values: dict[str, object]) -> str:
    text = texts[1] if language == "en" else texts[0]
    # A value that is not there leaves a gap, never an error inside an error.
    return text.format_map(defaultdict(lambda: "…", {k: str(v) for k, v in values.items() if v is not None}))
