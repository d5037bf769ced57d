#include "realtime/connection/httpactorresolver.h"

#include "realtime/protocol/frame.h"
#include "realtime/protocol/keys.h"
#include "realtime/protocol/manager.h"

#include <QPointer>

namespace foundry::realtime {

HttpActorResolver::HttpActorResolver(MetadataLookup lookup, QObject *parent)
    : ActorResolver(parent)
    , m_lookup(lookup)
{
}

void HttpActorResolver::resolve(const Endpoint &endpoint, const ActorName &actor, QObject *context,
    std::function<void(Result<ResolvedActor>)> answer)
{
    enter(endpoint);
    const Waiting waiting{actor, context, std::move(answer)};
    if (m_actual) {
        locate(waiting);
        return;
    }
    m_waiting << waiting;
    if (!m_looking)
        lookUp();
}

void HttpActorResolver::forget(const ActorName &actor)
{
    m_ids.remove(actor);
}

void HttpActorResolver::enter(const Endpoint &endpoint)
{
    if (m_asked == endpoint)
        return;
    m_asked = endpoint;
    m_actual = m_lookup == MetadataLookup::Skip ? std::optional<Endpoint>(endpoint) : std::nullopt;
    ++m_epoch;
    m_looking = false;
    m_ids.clear();
    QList<Waiting> late;
    late.swap(m_waiting);
    for (const Waiting &waiting : std::as_const(late)) {
        if (waiting.context) {
            waiting.answer(makeError(QLatin1StringView("client"), QLatin1StringView("endpoint_changed"),
                tr("The host has moved."), tr("It is tried again by itself.")));
        }
    }
}

void HttpActorResolver::lookUp()
{
    m_looking = true;
    HttpRequest request;
    request.verb = "GET";
    request.url = m_asked->metadataUrl();
    m_http.send(request, this, [this, epoch = m_epoch](const Result<HttpAnswer> &answer) {
        if (epoch != m_epoch)
            return;
        m_looking = false;
        QList<Waiting> waiting;
        waiting.swap(m_waiting);
        const auto fail = [&](const Error &error) {
            for (const Waiting &one : std::as_const(waiting)) {
                if (one.context)
                    one.answer(error);
            }
        };
        if (!answer)
            return fail(answer.error());
        if (!answer->ok())
            return fail(protocol::decodeErrorBody(answer->body));
        const auto metadata = protocol::decodeMetadata(answer->body);
        if (!metadata)
            return fail(metadata.error());
        Endpoint actual = *m_asked;
        if (metadata->clientEndpoint) {
            const auto moved = Endpoint::parse(*metadata->clientEndpoint);
            if (!moved)
                return fail(moved.error());
            actual.url = moved->url;
        }
        if (metadata->clientNamespace)
            actual.nameSpace = *metadata->clientNamespace;
        if (metadata->clientToken)
            actual.token = *metadata->clientToken;
        m_actual = actual;
        for (const Waiting &one : std::as_const(waiting))
            locate(one);
    });
}

void HttpActorResolver::locate(const Waiting &waiting)
{
    if (!waiting.context)
        return;
    if (const auto known = m_ids.constFind(waiting.actor); known != m_ids.cend()) {
        waiting.answer(ResolvedActor{*known, *m_actual});
        return;
    }
    HttpRequest request;
    request.verb = "PUT";
    request.url = m_actual->actorsUrl();
    request.token = m_actual->token;
    request.body = protocol::encodeGetOrCreate(waiting.actor.name, waiting.actor.key);
    m_http.send(request, waiting.context,
        [self = QPointer<HttpActorResolver>(this), epoch = m_epoch, waiting](const Result<HttpAnswer> &answer) {
            if (!answer)
                return waiting.answer(answer.error());
            if (!answer->ok())
                return waiting.answer(protocol::decodeErrorBody(answer->body));
            const auto actor = protocol::decodeActor(answer->body);
            if (!actor)
                return waiting.answer(actor.error());
            if (!self || self->m_epoch != epoch) {
                return waiting.answer(makeError(QLatin1StringView("client"), QLatin1StringView("endpoint_changed"),
                    HttpActorResolver::tr("The host has moved."), HttpActorResolver::tr("It is tried again by itself.")));
            }
            self->m_ids.insert(waiting.actor, actor->actorId);
            waiting.answer(ResolvedActor{actor->actorId, *self->m_actual});
        });
}

} // namespace foundry::realtime
