import pathlib
from tests.custody.a_day import live
from tests.cast import Cast
from courier_api.custody.audit.auditing import audit
from courier_api.custody.audit.trust import Trust
from courier_api.settings import settings
from courier_api.custody.evidence import store
import time

def test_probe(cast: Cast):
    day = live(cast)
    s = settings()
    trust = Trust.read(s.operator_keys/'operator.keys', None, s.evidence_store, s.operator_keys)
    t=time.time()
    report = audit(cast.session.connection(), trust)
    print(time.time()-t)
    for f in report.findings + report.notices: print(f)
    print(report.counted, report.size)
    assert 0
