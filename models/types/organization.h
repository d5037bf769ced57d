// What the organization topic carries: the organization, its repositories and agents, task summaries, attention.
#pragma once

#include "models/types/entity.h"
#include "models/types/error.h"
#include "models/types/ids.h"
#include "models/types/openenum.h"

#include <QList>
#include <QMap>
#include <optional>

namespace foundry {

enum class OrganizationKind { Local, Personal, Organization };
template <>
struct EnumNames<OrganizationKind> {
    static constexpr EnumName<OrganizationKind> all[] = {{OrganizationKind::Local, QLatin1StringView("local")},
        {OrganizationKind::Personal, QLatin1StringView("personal")},
        {OrganizationKind::Organization, QLatin1StringView("organization")}};
};

enum class SyncStatus { Idle, Queued, Running, Error };
template <>
struct EnumNames<SyncStatus> {
    static constexpr EnumName<SyncStatus> all[] = {{SyncStatus::Idle, QLatin1StringView("idle")},
        {SyncStatus::Queued, QLatin1StringView("queued")}, {SyncStatus::Running, QLatin1StringView("running")},
        {SyncStatus::Error, QLatin1StringView("error")}};
};

struct SyncState {
    OpenEnum<SyncStatus> status = {};
    std::optional<QString> phase = {};
    std::optional<qint64> done = {};
    std::optional<qint64> total = {};
    std::optional<Millis> at = {};
    std::optional<Error> error = {};
    friend bool operator==(const SyncState &, const SyncState &) = default;
};

struct Organization : EntityMeta {
    OrganizationId id;
    QString name;
    OpenEnum<OrganizationKind> kind = {};
    QString role; // owner, admin, member
    SyncState sync = {};
    QMap<QString, qint64> taskCounts = {}; // by TaskStatus text
    friend bool operator==(const Organization &, const Organization &) = default;
};

enum class RepositoryState { Checking, Cloning, Ready, Error };
template <>
struct EnumNames<RepositoryState> {
    static constexpr EnumName<RepositoryState> all[] = {{RepositoryState::Checking, QLatin1StringView("checking")},
        {RepositoryState::Cloning, QLatin1StringView("cloning")}, {RepositoryState::Ready, QLatin1StringView("ready")},
        {RepositoryState::Error, QLatin1StringView("error")}};
};

struct Repository : EntityMeta {
    RepoId id;
    QString name;
    QString origin; // the folder or the clone URL it came from; no user information in it
    std::optional<QString> defaultBranch = {};
    OpenEnum<RepositoryState> state = {};
    std::optional<double> progress = {}; // 0..1 while cloning
    std::optional<QString> progressText = {};
    std::optional<Error> error = {};
    qint64 taskCount = 0;
    qint64 openPullRequests = 0;
    QString trustState = QStringLiteral("none"); // none, asked, trusted
    std::optional<QString> trustVersion = {};
    bool dirty = false; // the user's own checkout has uncommitted edits: they stay where they are
    friend bool operator==(const Repository &, const Repository &) = default;
};

enum class AgentSource { Path, Installed, Custom, Builtin };
template <>
struct EnumNames<AgentSource> {
    static constexpr EnumName<AgentSource> all[] = {{AgentSource::Path, QLatin1StringView("path")},
        {AgentSource::Installed, QLatin1StringView("installed")}, {AgentSource::Custom, QLatin1StringView("custom")},
        {AgentSource::Builtin, QLatin1StringView("builtin")}};
};

enum class AgentState { Ready, Unconfirmed, AdapterMissing, NeedsLogin, NotInstalled, Broken };
template <>
struct EnumNames<AgentState> {
    static constexpr EnumName<AgentState> all[] = {{AgentState::Ready, QLatin1StringView("ready")},
        {AgentState::Unconfirmed, QLatin1StringView("unconfirmed")},
        {AgentState::AdapterMissing, QLatin1StringView("adapter_missing")},
        {AgentState::NeedsLogin, QLatin1StringView("needs_login")},
        {AgentState::NotInstalled, QLatin1StringView("not_installed")},
        {AgentState::Broken, QLatin1StringView("broken")}};
};

// One choice of an agent's own lists: a model, a mode, a value of an option, a command.
struct AgentChoice {
    QString id;
    QString name;
    QString description;
    friend bool operator==(const AgentChoice &, const AgentChoice &) = default;
};

struct AgentOptions {
    QList<AgentChoice> models = {};
    QList<AgentChoice> modes = {};
    QList<AgentChoice> commands = {};
    friend bool operator==(const AgentOptions &, const AgentOptions &) = default;
};

struct AgentInstall {
    QString package;
    QString version;
    qint64 bytes = 0;
    friend bool operator==(const AgentInstall &, const AgentInstall &) = default;
};

struct Agent : EntityMeta {
    AgentId id;
    QString name;
    OpenEnum<AgentSource> source = {};
    OpenEnum<AgentState> state = {};
    std::optional<QString> detail = {}; // the command found, the version, or why it is broken
    std::optional<AgentInstall> install = {};
    std::optional<QString> needsNode = {}; // e.g. "22", when the Node.js that was found is older
    std::optional<AgentOptions> lastOptions = {};
    friend bool operator==(const Agent &, const Agent &) = default;
};

struct DeletedTask : EntityMeta {
    TaskId id;
    QString title;
    QString branch;
    Millis deletedAt = 0;
    Millis restorableUntil = 0;
    QString lost; // what was kept for it, in words
    friend bool operator==(const DeletedTask &, const DeletedTask &) = default;
};

struct HostStatus : EntityMeta {
    QString id = QStringLiteral("host");
    QString version;
    double load = 0;
    qint64 tasksDiskBytes = 0;
    qint64 agentsRunning = 0;
    friend bool operator==(const HostStatus &, const HostStatus &) = default;
};

} // namespace foundry
