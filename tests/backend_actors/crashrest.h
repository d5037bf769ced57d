// The third script of the crash walk: what the others leave out. An organization, a task on a branch that is there, one
// whose branch is taken, one whose agent is refused at first, one that is given up while its agent starts; a model that
// is chosen, processes, a repository that is taken out; and a host that ends in the middle of a turn that asks a
// question, so that in its second life the turn is sent again.
#pragma once

#include "tests/backend_actors/crashrun.h"

namespace foundry::test {

class CrashRest : public CrashRun {
public:
    explicit CrashRest(CrashSpot spot);

protected:
    bool script() override;
    void verify() override;
    QString dump() override;
    QMap<QString, QString> names() const override;
    void answer(const Session &session, const QString &kind) override;

private:
    bool repositories();
    bool organizations();
    bool addSilentAgent();
    bool isSilentGone() const;
    bool adopted();
    bool clash();
    bool refused();
    bool givenUp();
    bool processes();
    bool cut();
    void use(const HostTask &task);
    bool makeTask(const char *what, const char *mode, const std::function<void(CreateTask &)> &change, const Act &then);
    QString order(const char *action, wire::WireClient *client, const QByteArray &arguments);
    std::unique_ptr<wire::WireClient> opened(const QString &actor, const QStringList &key);
    QString untilStatus(SessionStatus wanted);
    std::optional<Attention> question();
    std::optional<Process> process(const QString &id);
    QByteArray logOf(const QString &id);
    void checkStages(const HostTask &task, bool givenUp);
    void checkProcesses();
    void checkQuestion();

    HostTask m_adopted;
    HostTask m_clashed;
    HostTask m_refused;
    HostTask m_givenUp;
    RepoId m_clone = makeId<RepoId>();
};

} // namespace foundry::test
