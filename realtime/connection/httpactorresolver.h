// ActorResolver over the manager API: GET /metadata once for each endpoint (follows `clientEndpoint` one hop), then
// PUT /actors, its ids cached until they are forgotten or the endpoint changes.
#pragma once

#include "realtime/connection/actorresolver.h"
#include "realtime/connection/httpclient.h"

#include <QHash>
#include <QList>
#include <QPointer>
#include <optional>

namespace foundry::realtime {

class HttpActorResolver final : public ActorResolver {
    Q_OBJECT

public:
    enum class MetadataLookup {
        Follow, // as the protocol says
        Skip,   // the endpoint was proven another way (the local host's connect file)
    };

    explicit HttpActorResolver(MetadataLookup lookup, QObject *parent = nullptr);

    void resolve(const Endpoint &endpoint, const ActorName &actor, QObject *context,
        std::function<void(Result<ResolvedActor>)> answer) override;
    void forget(const ActorName &actor) override;

private:
    struct Waiting {
        ActorName actor;
        QPointer<QObject> context;
        std::function<void(Result<ResolvedActor>)> answer;
    };

    void enter(const Endpoint &endpoint);
    void lookUp();
    void locate(const Waiting &waiting);

    MetadataLookup m_lookup;
    HttpClient m_http;
    std::optional<Endpoint> m_asked;  // what the ids belong to
    std::optional<Endpoint> m_actual; // after the metadata
    quint64 m_epoch = 0;              // raised with the endpoint: late answers of an older one count for nothing
    bool m_looking = false;
    QList<Waiting> m_waiting;
    QHash<ActorName, QString> m_ids;
};

} // namespace foundry::realtime
