"""Every table, named once, so that foreign keys resolve whoever starts the process."""

from courier_api import queue
from courier_api.agencies import models as agencies
from courier_api.custody import models as custody
from courier_api.dossiers import models as dossiers
from courier_api.guard import answers
from courier_api.jobs import models as jobs
from courier_api.money import models as money
from courier_api.people import models as people
from courier_api.places import models as places
from courier_api.procedures import models as procedures
from courier_api.rounds import changes
from courier_api.rounds import models as rounds
from courier_api.tracking import models as tracking

all_models = (
    *(people, places, procedures, dossiers, jobs, rounds, changes),
    *(custody, money, agencies, tracking, queue, answers),
)
