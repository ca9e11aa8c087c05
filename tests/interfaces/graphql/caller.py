"""A GraphQL client that records the operations it sent, and selections of types."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from gql import Client, GraphQLRequest, gql
from gql.client import AsyncClientSession
from gql.transport.websockets import WebsocketsTransport
from graphql import FieldNode, GraphQLSchema, OperationDefinitionNode, build_schema

from domain.values import Role
from interfaces.graphql.schema import sdl
from tests.interfaces.serving import ApiClient

ERROR = "... on UserError { code message fields { path message } }"
PROGRESS = """{ campaignId state contacts pending active queued ringing inProgress ended
  failed canceled timedOut awaitingReports spend position }"""
CALL = """{ id campaignId contactId attempt status providerCallId queuedAt placedAt
  startedAt endedAt lastEventAt durationSeconds endedReason cost recordingUrl transcript
  outcome disposition structuredOutputs summary endedMessage ringSeconds
  events { position type } }"""
POLICY = """{ attempts perDay minGapMinutes expiresAfterDays
  rules { outcomes attempts gapsMinutes otherTimeOfDay } }"""
CONTACT = f"""{{ id name businessName phone erasedAt variables status call {CALL}
  calls {CALL} outcome disposition note attempts nextAttemptAt waitingFor withheld }}"""
REPORT = "{ accepted skippedCount skipped { row reason message } rejectsUrl }"
ASSISTANT_FIELDS = "{ id name providerAssistantId archived config activeCampaigns }"
DIALABILITY = """{ at contacts now later { code contacts from }
  never { reason contacts } hours { from contacts }
  placeSources { source contacts } }"""
RANGE = "{ p10 p50 p90 }"
FORECAST = f"""{{ madeAt attemptsSeen coverage finishesAt {RANGE} calls {RANGE}
  answered {RANGE} human {RANGE} goals {RANGE} spend {RANGE}
  hours {{ from calls spend }} boundBy {{ code share }} advice
  never {{ reason contacts }} }}"""
CAMPAIGN = f"""{{ id name state stateReason pauseCause mode cap lineQuietGating
  assistant {ASSISTANT_FIELDS} phoneNumberId budget createdAt createdBy queuedAt
  startedAt completedAt progress {PROGRESS}
  contacts(first: 2) {{ edges {{ cursor node {CONTACT} }} totalCount
    pageInfo {{ hasNextPage endCursor }} }}
  imports {{ id filename importedAt report {REPORT} }}
  activity(bucketSeconds: 60) {{ from placed ended failed spend }}
  outcomes {{ outcome calls contacts }} answerRates {{ hour calls answered human }}
  callbacks {{ due later nextAt }} startsAt endsAt callbackOutput
  retryPolicy {POLICY} outputRules {{ output equals means }}
  funnel {{ contacts dialed answered human goal withheld optedOut }}
  lastDecision {{ decidedAt room placed reasons {{ code message contacts until }} }}
  dialability {DIALABILITY} forecast {FORECAST} forecasts {FORECAST}
  arms {{ assistant {{ id }} share contacts finished goals calls answered human low high
    pValue smallestDifference }}
  redialOf {{ id }} redials {{ id }} isTest phoneNumber exportUrl exportColumns }}"""
EVENT = (
    """{ position aggregateType aggregateId version type occurredAt actor payload }"""
)
SETTINGS = """{ defaultCap globalCap tickSeconds silenceTimeoutSeconds dialsPerSecond
  refillImmediately defaultRegion dailyBudget spendAlertThreshold alertWebhookUrl
  retentionDays }"""
HEALTH = """{ status components { name status detail } projectionLagSeconds
  lastTickAt }"""
MEMBER = "{ email role addedAt addedBy }"


@dataclass
class Caller:
    """Sends operations over one socket, as an admin; `asked` are their root fields."""

    session: AsyncClientSession
    schema: GraphQLSchema
    asked: set[str] = field(default_factory=set)

    async def ask(self, text: str, **variables: Any) -> Any:
        """Return the root field of the answer."""
        request = self._request(text, variables)
        answer = await self.session.execute(request)
        return next(iter(answer.values()))

    async def hear(self, text: str, **variables: Any) -> Any:
        """Return the first frame of a subscription."""
        async for frame in self.session.subscribe(self._request(text, variables)):
            return next(iter(frame.values()))
        raise AssertionError("the subscription ended without a frame")

    def _request(self, text: str, variables: dict[str, Any]) -> GraphQLRequest:
        request = gql(text)
        (definition,) = request.document.definitions
        assert isinstance(definition, OperationDefinitionNode)
        (chosen,) = definition.selection_set.selections
        assert isinstance(chosen, FieldNode)
        self.asked.add(f"{definition.operation.value}.{chosen.name.value}")
        return GraphQLRequest(request.document, variable_values=variables)


@asynccontextmanager
async def calling(api: ApiClient) -> AsyncIterator[Caller]:
    """Open a socket on which each operation is checked against the schema."""
    schema = build_schema(sdl())
    transport = WebsocketsTransport(
        url=f"ws{api.url.removeprefix('http')}/graphql",
        init_payload={"authorization": api.header(Role.ADMIN)["Authorization"]},
    )
    # The client checks every operation against the schema before it sends it.
    async with Client(transport=transport, schema=schema) as session:
        yield Caller(session, schema)
