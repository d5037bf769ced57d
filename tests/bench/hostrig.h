// A real foundry-host with a sample repository and, where asked, many tasks that were never run: what the rows of the
// host and of the start share.
#pragma once

#include "models/types/task.h"
#include "tests/wire/hostprocess.h"
#include "tests/wire/wireclient.h"

#include <memory>

namespace foundry::bench {

class HostRig {
public:
    HostRig();

    // A git repository with a few files, made once.
    QString repositoryPath() const { return m_folder.path() + QStringLiteral("/sample"); }
    QString dataDir() const { return m_folder.path() + QStringLiteral("/data"); }
    wire::HostProcess &host() { return *m_host; }
    RepoId repo() const { return m_repo; }

    // Starts the host (again), with `path` put first on PATH when it is not empty.
    Result<> start(const QString &path = {});
    // Adds the sample repository and waits until it is ready.
    Result<> addRepository();
    // Ends the host, writes `count` idle tasks into the organization's rows, and leaves it ended. Their work trees and
    // actors do not exist: lists and summaries are what is measured.
    Result<> seedTasks(int count);
    // All of it from nothing: a host that was started, has the sample repository and `count` tasks, and is ended.
    Result<> prepare(int count);
    // A folder with programs of these names that sleep for an hour.
    Result<QString> hangingPrograms(const QStringList &names);
    Result<std::unique_ptr<wire::WireClient>> open(const QString &actor, const QStringList &key);
    Result<std::unique_ptr<wire::WireClient>> organization();
    Result<std::unique_ptr<wire::WireClient>> task(const TaskId &task);
    // Runs a program to its end; an error with its words when it fails.
    static Result<> run(const QString &program, const QStringList &args, const QString &folder);

private:
    QTemporaryDir m_folder;
    std::unique_ptr<wire::HostProcess> m_host;
    RepoId m_repo;
};

} // namespace foundry::bench
