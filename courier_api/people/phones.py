"""Phone numbers: any way a person writes one, E.164 inside."""

import phonenumbers
from phonenumbers import PhoneNumberType

from courier_api.errors import Invalid

VIETNAM = 84


def normalise(text: str, pointer: str = "/phone") -> str:
    """Turn a Vietnamese mobile number into E.164; raises Invalid naming `pointer`.

    No others: messages to foreign and premium numbers cost whoever sends them.
    """
    try:
        number = phonenumbers.parse(text, "VN")
    except phonenumbers.NumberParseException:
        raise Invalid("bad_phone", pointer) from None
    mobile = phonenumbers.number_type(number) in (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
    if number.country_code != VIETNAM or not mobile:
        raise Invalid("bad_phone", pointer)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
