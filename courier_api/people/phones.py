"""Phone numbers: any way a person writes one, E.164 inside."""

import phonenumbers

from courier_api.errors import Invalid


def normalise(text: str, pointer: str = "/phone") -> str:
    """Turn a Vietnamese or international number into E.164; raises Invalid naming `pointer`."""
    try:
        number = phonenumbers.parse(text, "VN")
    except phonenumbers.NumberParseException:
        raise Invalid("bad_phone", pointer) from None
    if not phonenumbers.is_valid_number(number):
        raise Invalid("bad_phone", pointer)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
