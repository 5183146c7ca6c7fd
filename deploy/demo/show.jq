# What reached the list, for the eye.
def called: $names[.] // .[0:8];
def inked($ink): $ink + . + $plain;
def safe: gsub("\\p{Cc}"; "·");
def counted: if . == 1 then "1 message" else "\(.) messages" end;

. as $line | (fromjson? // {at: "", pushed: {type: "unreadable"}})
| (.at | inked($dim)) as $at
| .pushed
| if .type == "grouped" then
    "\($at)  \(.messages[0].sender_id | called | inked($bold)) → \(.bot_id | called)  \(.count | counted | inked($green))  \("match \(.match_id[0:8])" | inked($dim))",
    (.messages[] | "            │ \(.content | safe)")
  elif .type == "initiation" then
    "\($at)  \(.bot_id | called | inked($bold)) may open: new match with \(.user_id | called | inked($bold))  \("opener" | inked($green))  \("match \(.match_id[0:8])" | inked($dim))"
  else
    "\($at)  not understood: \($line | safe)"
  end
