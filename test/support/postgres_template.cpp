#include "support/postgres_template.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <system_error>

#include "support/folder.hpp"
#include "support/process.hpp"

namespace postrider::support {
namespace {

namespace fs = std::filesystem;

// Held by one test program at a time while the template is made.
class file_lock {
 public:
    explicit file_lock(const fs::path& file) : file_(open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
        int result = -1;
        while (file_ >= 0 && (result = flock(file_, LOCK_EX)) != 0 && errno == EINTR) {
        }
        if (result != 0)
            throw std::system_error(errno, std::generic_category(), "cannot lock " + file.string());
    }
    file_lock(const file_lock&) = delete;
    file_lock& operator=(const file_lock&) = delete;
    ~file_lock() { close(file_); }

 private:
    int file_;
};

int number_of(const fs::path& folder) {
    const std::string name = folder.filename();
    int number = -1;
    std::from_chars(name.data(), name.data() + name.size(), number);
    return number;
}

// The version as a word that can be part of a file name: "postgres (PostgreSQL) 15.14 (Debian …)"
// gives 15.14.
std::string server_version() {
    process::settings postgres;
    postgres.arguments = {postgres_programs() + "/postgres", "--version"};
    const std::string text = run_program(std::move(postgres));
    std::size_t from = 0;
    while (from < text.size() && std::isdigit(static_cast<unsigned char>(text[from])) == 0)
        ++from;
    const std::size_t to = text.find_first_of(" \n", from);
    if (from == text.size()) throw std::runtime_error("no version in: " + text);
    return text.substr(from, to - from);
}

fs::path cache_folder() {
    const char* named = std::getenv("POSTRIDER_TEST_CACHE");
    const fs::path folder = named != nullptr && *named != '\0'
                                ? fs::path(named)
                                : fs::read_symlink("/proc/self/exe").parent_path();
    fs::create_directories(folder);
    return folder;
}

void give_to_account(const fs::path& folder) {
    const auto to = unprivileged_account();
    if (!to) return;
    if (lchown(folder.c_str(), to->user, to->group) != 0) {
        throw std::system_error(errno, std::generic_category(), "chown " + folder.string());
    }
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        if (lchown(entry.path().c_str(), to->user, to->group) != 0) {
            throw std::system_error(errno, std::generic_category(), "chown " + entry.path().string());
        }
    }
}

void copy_folder(const fs::path& from, const fs::path& to) {
    process::settings cp;
    cp.arguments = {"cp", "-a", "--reflink=auto", from, to};
    run_program(std::move(cp));
}

void make_template(const fs::path& at) {
    // In a temporary folder first, for the account may not be allowed into the folder of the build.
    const temporary_folder work;
    give_to_account(work.path());
    process::settings initdb;
    initdb.arguments = {postgres_programs() + "/initdb",
                        "-D",
                        work.path() + "/data",
                        "-U",
                        "postgres",
                        "--auth=trust",
                        "--encoding=UTF8",
                        "--locale=C",
                        "--no-sync"};
    initdb.directory = work.path();
    initdb.unprivileged = true;
    run_program(std::move(initdb));
    const fs::path unfinished = at.string() + ".unfinished";
    fs::remove_all(unfinished);
    copy_folder(work.path() + "/data", unfinished);
    fs::rename(unfinished, at);
}

}  // namespace

std::string postgres_programs() {
    const char* path = std::getenv("PATH");
    const std::string folders = path != nullptr ? path : "";
    for (std::size_t from = 0; from < folders.size();) {
        const std::size_t to = std::min(folders.find(':', from), folders.size());
        const fs::path found = fs::path(folders.substr(from, to - from)) / "initdb";
        // A link to it may stand alone; the other programs are beside the file itself.
        if (access(found.c_str(), X_OK) == 0) return fs::canonical(found).parent_path();
        from = to + 1;
    }
    fs::path newest;
    std::error_code missing;
    for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", missing)) {
        if (!fs::exists(entry.path() / "bin/initdb")) continue;
        if (newest.empty() || number_of(entry.path()) > number_of(newest)) newest = entry.path();
    }
    if (newest.empty()) throw std::runtime_error("no Postgres server is installed (test/install.sh does it)");
    return newest / "bin";
}

void copy_postgres_template(const std::string& to) {
    const fs::path kept = cache_folder() / ("postgres-template-" + server_version());
    {
        const file_lock lock(kept.string() + ".lock");
        if (!fs::exists(kept)) make_template(kept);
    }
    copy_folder(kept, to);
    give_to_account(to);
}

}  // namespace postrider::support
